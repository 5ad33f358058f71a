// Floats that modelseal and its worker both see: a memfd, mapped on either side.
//
// Its size is sealed, so that the worker cannot cut it short under modelseal's hands; what it holds may change
// at any time and is copied out before it is believed.
#pragma once

#include <cstddef>
#include <span>

#include "worker/channel.h"

namespace modelseal::worker {

class SharedMemory {
  public:
    // Zeros. Error `unreadable` if there is not that much memory.
    static Result<SharedMemory> create(std::size_t floats);
    // Of a descriptor that create() made on the other side; `floats` is held against its size. Error
    // `malformed`.
    static Result<SharedMemory> open(Descriptor descriptor, std::size_t floats);
    SharedMemory() = default;
    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&& other) noexcept;
    ~SharedMemory();

    int descriptor() const { return descriptor_.get(); }
    std::span<float> floats() const { return {static_cast<float*>(address_), count_}; }

  private:
    static Result<SharedMemory> map(Descriptor descriptor, std::size_t floats);
    Descriptor descriptor_;
    void* address_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace modelseal::worker
