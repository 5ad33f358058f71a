// Ed25519 by libsodium, which refuses what RFC 8032 leaves open: signatures with S out of range, keys of small
// order and points in a second spelling.
#include <algorithm>
#include <stdexcept>

#include <sodium.h>

#include "crypto/hkdf.h"
#include "crypto/wipe.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

void start_sodium() {
    static const int started = sodium_init();
    if (started < 0) throw std::runtime_error("libsodium could not be started");
}

const unsigned char* raw(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* room(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

// The expanded pair, as libsodium signs with it; wiped when it goes.
struct Pair {
    explicit Pair(const Secret32& seed) {
        crypto_sign_seed_keypair(room(open.bytes), secret, raw(seed.bytes()));
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    ~Pair() { wipe(secret, sizeof secret); }
    PublicKey open;
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
};

}  // namespace

Secret32::Secret32(std::span<const std::byte, 32> bytes) {
    std::ranges::copy(bytes, bytes_.begin());
}

Secret32::Secret32(Secret32&& other) noexcept : bytes_(other.bytes_) {
    wipe(other.bytes_.data(), other.bytes_.size());
}

Secret32& Secret32::operator=(Secret32&& other) noexcept {
    if (this != &other) {
        bytes_ = other.bytes_;
        wipe(other.bytes_.data(), other.bytes_.size());
    }
    return *this;
}

Secret32::~Secret32() {
    wipe(bytes_.data(), bytes_.size());
}

KeyId PublicKey::id() const {
    std::array<std::byte, crypto_hash_sha256_BYTES> digest;
    crypto_hash_sha256(room(digest), raw(bytes), bytes.size());
    KeyId id;
    std::copy_n(digest.begin(), id.size(), id.begin());
    return id;
}

bool PublicKey::verify(std::span<const std::byte> message, const SignatureBytes& signature) const {
    return crypto_sign_verify_detached(raw(signature), raw(message), message.size(), raw(bytes)) == 0;
}

SigningKey SigningKey::generate() {
    start_sodium();
    Secret32 seed;
    randombytes_buf(seed.writable().data(), seed.writable().size());
    return SigningKey(std::move(seed));
}

PublicKey SigningKey::public_key() const {
    return Pair(seed_).open;
}

SignatureBytes SigningKey::sign(std::span<const std::byte> message) const {
    const Pair pair(seed_);
    SignatureBytes signature;
    crypto_sign_detached(room(signature), nullptr, raw(message), message.size(), pair.secret);
    return signature;
}

CheckKey public_check_key(const PublicKey& vendor) {
    CheckKey key{vendor, "", {}};
    hkdf_sha256(vendor.bytes, {}, "modelseal/1 public check key", key.secret.writable());
    return key;
}

std::string to_hex(std::span<const std::byte> bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::byte each : bytes) {
        text += kDigits[std::to_integer<unsigned>(each) >> 4];
        text += kDigits[std::to_integer<unsigned>(each) & 15];
    }
    return text;
}

}  // namespace modelseal
