// Floats that modelseal and its worker share: a memfd, mapped on either side.
//
// Its size is sealed, so the worker cannot truncate it while modelseal uses it. Its content may change at any
// time and is copied before it is validated.
#pragma once

#include <cstddef>
#include <span>

#include "worker/channel.h"

namespace modelseal::worker {

class SharedMemory {
  public:
    // Filled with zeros. Error `unreadable` if there is not enough memory.
    static Result<SharedMemory> create(std::size_t floats);
    // Maps a descriptor that create() made on the other side; `floats` is compared with its size. Error
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
