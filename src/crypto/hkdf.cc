#include "crypto/hkdf.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include <sodium.h>

namespace modelseal {
namespace {

constexpr std::size_t kDigest = crypto_auth_hmacsha256_BYTES;
using Digest = std::array<unsigned char, kDigest>;

const unsigned char* raw(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

// HMAC-SHA-256, wiping its state when it goes.
class Hmac {
  public:
    explicit Hmac(std::span<const unsigned char> key) {
        constexpr unsigned char kEmpty = 0;  // libsodium takes no null pointer, not even for zero bytes
        crypto_auth_hmacsha256_init(&state_, key.empty() ? &kEmpty : key.data(), key.size());
    }
    Hmac(const Hmac&) = delete;
    Hmac& operator=(const Hmac&) = delete;
    ~Hmac() { sodium_memzero(&state_, sizeof state_); }
    Hmac& add(const void* bytes, std::size_t size) {
        if (size > 0) crypto_auth_hmacsha256_update(&state_, static_cast<const unsigned char*>(bytes), size);
        return *this;
    }
    void finish(Digest& out) { crypto_auth_hmacsha256_final(&state_, out.data()); }

  private:
    crypto_auth_hmacsha256_state state_;
};

}  // namespace

Hkdf::Hkdf(std::span<const std::byte> secret, std::span<const std::byte> salt) {
    Hmac({raw(salt), salt.size()}).add(secret.data(), secret.size()).finish(pseudorandom_key_);
}

Hkdf::~Hkdf() {
    sodium_memzero(pseudorandom_key_.data(), pseudorandom_key_.size());
}

void Hkdf::expand(std::string_view info, std::span<std::byte> out) const {
    if (out.size() > 255 * kDigest) throw std::length_error("HKDF-SHA-256 gives at most 8,160 bytes");
    Digest block{};
    unsigned char counter = 0;
    for (std::size_t done = 0; done < out.size(); done += kDigest) {
        Hmac hmac(pseudorandom_key_);
        if (counter > 0) hmac.add(block.data(), block.size());
        ++counter;
        hmac.add(info.data(), info.size()).add(&counter, 1).finish(block);
        std::memcpy(out.data() + done, block.data(), std::min(kDigest, out.size() - done));
    }
    sodium_memzero(block.data(), block.size());
}

void hkdf_sha256(std::span<const std::byte> secret, std::span<const std::byte> salt, std::string_view info,
                 std::span<std::byte> out) {
    Hkdf(secret, salt).expand(info, out);
}

}  // namespace modelseal
