#include "crypto/keystream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <unordered_map>

#include <sodium.h>

namespace modelseal::crypto {
namespace {

constexpr std::size_t kDigest = crypto_auth_hmacsha256_BYTES;
using HmacDigest = std::array<unsigned char, kDigest>;

const unsigned char* unsigned_bytes(std::span<const std::byte> bytes) {
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
    void finish(HmacDigest& out) { crypto_auth_hmacsha256_final(&state_, out.data()); }

  private:
    crypto_auth_hmacsha256_state state_;
};

}  // namespace

Hkdf::Hkdf(std::span<const std::byte> secret, std::span<const std::byte> salt) {
    Hmac({unsigned_bytes(salt), salt.size()}).add(secret.data(), secret.size()).finish(pseudorandom_key_);
}

Hkdf::~Hkdf() {
    sodium_memzero(pseudorandom_key_.data(), pseudorandom_key_.size());
}

void Hkdf::expand(std::string_view info, std::span<std::byte> out) const {
    if (out.size() > 255 * kDigest) throw std::length_error("HKDF-SHA-256 gives at most 8,160 bytes");
    HmacDigest block{};
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

Keystream::Keystream(std::span<const std::byte, 32> key, std::uint64_t nonce) : nonce_(nonce) {
    std::ranges::copy(key, key_.begin());
}

Keystream::~Keystream() {
    sodium_memzero(key_.data(), key_.size());
    sodium_memzero(buffer_.data(), buffer_.size());
}

void Keystream::refill() {
    unsigned char nonce[crypto_stream_chacha20_NONCEBYTES];
    for (std::size_t i = 0; i < sizeof nonce; ++i) nonce[i] = static_cast<unsigned char>(nonce_ >> (8 * i));
    buffer_.fill(std::byte{0});
    const auto bytes = reinterpret_cast<unsigned char*>(buffer_.data());
    crypto_stream_chacha20_xor_ic(bytes, bytes, buffer_.size(), nonce, block_,
                                  reinterpret_cast<const unsigned char*>(key_.data()));
    block_ += buffer_.size() / 64;  // ChaCha20 makes 64 bytes a block
    used_ = 0;
}

std::vector<std::uint64_t> Keystream::choose(std::uint64_t count, std::uint64_t bound) {
    // The first `count` steps of a Fisher-Yates shuffle; `moved` holds what was swapped away from its place.
    std::unordered_map<std::uint64_t, std::uint64_t> moved;
    const auto at = [&](std::uint64_t place) {
        const auto found = moved.find(place);
        return found == moved.end() ? place : found->second;
    };
    std::vector<std::uint64_t> chosen;
    chosen.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto pick = i + below(bound - i);
        chosen.push_back(at(pick));
        moved[pick] = at(i);
    }
    return chosen;
}

}  // namespace modelseal::crypto
