// A reproducible stream of pseudo-random numbers: ChaCha20 (the original, 64-bit nonce and 64-bit counter from
// 0).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace modelseal::crypto {

class Keystream {
  public:
    Keystream(std::span<const std::byte, 32> key, std::uint64_t nonce);
    ~Keystream();
    Keystream(const Keystream&) = delete;
    Keystream& operator=(const Keystream&) = delete;

    std::byte byte();
    std::uint64_t number();  // 8 bytes, little-endian
    std::uint64_t below(
        std::uint64_t bound);  // uniform in [0, bound); numbers of the biased rest are drawn again

  private:
    void refill();
    std::array<std::byte, 32> key_;
    std::uint64_t nonce_;
    std::uint64_t block_ = 0;
    std::array<std::byte, 512> buffer_{};
    std::size_t used_ = buffer_.size();
};

}  // namespace modelseal::crypto
