// HKDF with SHA-256 (RFC 5869), which derives all of modelseal's secrets from a given one.
//
// Thread safety: a pure function.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace modelseal::crypto {

// Extract, then expand, into the whole of `out`. An empty `salt` is a salt of 32 zero bytes, as the RFC says.
// `info` has no length limit: OpenSSL's KDF, which has one of about a kilobyte, would not take long tensor
// names. Precondition: out.size() <= 255 * 32; throws std::length_error otherwise.
void hkdf_sha256(std::span<const std::byte> secret, std::span<const std::byte> salt, std::string_view info,
                 std::span<std::byte> out);

// The same in two steps, for several outputs of one secret and salt.
class Hkdf {
  public:
    Hkdf(std::span<const std::byte> secret, std::span<const std::byte> salt);
    Hkdf(const Hkdf&) = delete;
    Hkdf& operator=(const Hkdf&) = delete;
    ~Hkdf();
    void expand(std::string_view info, std::span<std::byte> out) const;

  private:
    std::array<unsigned char, 32> pseudorandom_key_;
};

// A reproducible stream of pseudo-random numbers: ChaCha20 (the original, 64-bit nonce and 64-bit counter from
// 0).

class Keystream {
  public:
    Keystream(std::span<const std::byte, 32> key, std::uint64_t nonce);
    ~Keystream();
    Keystream(const Keystream&) = delete;
    Keystream& operator=(const Keystream&) = delete;

    std::byte byte() {
        if (used_ == buffer_.size()) refill();
        return buffer_[used_++];
    }
    // 8 bytes, little-endian.
    std::uint64_t number() {
        std::uint64_t value = 0;
        if (buffer_.size() - used_ >= 8) {
            for (std::size_t i = 0; i < 8; ++i)
                value |= std::to_integer<std::uint64_t>(buffer_[used_ + i]) << (8 * i);
            used_ += 8;
            return value;
        }
        for (int i = 0; i < 8; ++i) value |= std::to_integer<std::uint64_t>(byte()) << (8 * i);
        return value;
    }
    // Uniform in [0, bound); numbers of the biased rest are drawn again.
    std::uint64_t below(std::uint64_t bound) {
        for (;;) {
            const auto value = number();
            // 2^64 mod bound is less than bound, so only a number below bound needs the division.
            if (value >= bound || value >= (~std::uint64_t{0} - bound + 1) % bound) return value % bound;
        }
    }

    // Uniform in [0, 1): a multiple of 2^-53.
    double uniform() { return static_cast<double>(number() >> 11) * 0x1p-53; }

    // Fisher and Yates, from the end: as many draws as there are values, less one.
    template <class T>
    void shuffle(std::span<T> values) {
        for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
    }
    // The first `count` of 0, 1, .. bound - 1 in random order, in memory and time of `count`; count <= bound.
    std::vector<std::uint64_t> choose(std::uint64_t count, std::uint64_t bound);

  private:
    void refill();
    std::array<std::byte, 32> key_;
    std::uint64_t nonce_;
    std::uint64_t block_ = 0;
    std::array<std::byte, 512> buffer_{};
    std::size_t used_ = buffer_.size();
};

}  // namespace modelseal::crypto
