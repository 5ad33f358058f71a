// SHA-256 (FIPS 180-4), incremental, by OpenSSL, which uses the processor's SHA instructions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace modelseal::crypto {

using Digest = std::array<std::byte, 32>;

// Not thread-safe; reusable after finish().
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    Sha256& update(std::span<const std::byte> bytes);
    // Numbers go in as 8 little-endian bytes, texts after their length, which is such a number.
    Sha256& update_number(std::uint64_t number);
    Sha256& update_text(std::string_view text);
    Digest finish();

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

// First 8 bytes of HMAC-SHA-256 (RFC 2104) over the concatenated parts.
std::array<std::byte, 8> hmac_tag(std::span<const std::byte, 32> key,
                                  std::initializer_list<std::span<const std::byte>> parts);

// BLAKE2b with 64 bytes of digest (RFC 7693), incremental, not keyed, by OpenSSL.

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
