// HKDF with SHA-256 (RFC 5869): how every secret that modelseal uses comes from one that it was given.
//
// Thread safety: a pure function.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace modelseal {

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

}  // namespace modelseal
