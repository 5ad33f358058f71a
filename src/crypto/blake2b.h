// BLAKE2b with 64 bytes of digest (RFC 7693), incremental, not keyed, by OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace modelseal::crypto {

// Not thread-safe; reusable after finish().
class Blake2b {
  public:
    Blake2b();
    ~Blake2b();
    Blake2b(const Blake2b&) = delete;
    Blake2b& operator=(const Blake2b&) = delete;

    Blake2b& update(std::span<const std::byte> bytes);
    std::array<std::byte, 64> finish();

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace modelseal::crypto
