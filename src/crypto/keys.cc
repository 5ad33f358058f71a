#include <algorithm>

#include <sodium.h>

#include "crypto/ed25519.h"
#include "crypto/keystream.h"
#include "crypto/p256.h"
#include "crypto/secret.h"
#include <modelseal/keys.h>
#include <modelseal/signer.h>

namespace modelseal {
namespace {

const unsigned char* raw_key(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* room(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

Secret32::Secret32(std::span<const std::byte, 32> bytes) {
    std::ranges::copy(bytes, bytes_.begin());
}

Secret32::Secret32(Secret32&& other) noexcept : bytes_(other.bytes_) {
    crypto::wipe(other.bytes_.data(), other.bytes_.size());
}

Secret32& Secret32::operator=(Secret32&& other) noexcept {
    if (this != &other) {
        bytes_ = other.bytes_;
        crypto::wipe(other.bytes_.data(), other.bytes_.size());
    }
    return *this;
}

Secret32::~Secret32() {
    crypto::wipe(bytes_.data(), bytes_.size());
}

std::string_view name_of(KeyType type) {
    return type == KeyType::ed25519 ? "Ed25519" : "P-256";
}

std::optional<PublicKey> PublicKey::of(std::span<const std::byte> bytes) {
    PublicKey key;
    if (bytes.size() == size_of(KeyType::p256)) {
        if (!crypto::p256_of_point(bytes)) return std::nullopt;
        key.type_ = KeyType::p256;
    } else if (bytes.size() != size_of(KeyType::ed25519)) {
        return std::nullopt;
    }
    std::ranges::copy(bytes, key.bytes_.begin());
    return key;
}

KeyId PublicKey::id() const {
    std::array<std::byte, crypto_hash_sha256_BYTES> digest;
    crypto_hash_sha256(room(digest), raw_key(bytes()), bytes().size());
    KeyId id;
    std::copy_n(digest.begin(), id.size(), id.begin());
    return id;
}

bool PublicKey::verify(std::span<const std::byte> message, const SignatureBytes& signature) const {
    return type_ == KeyType::ed25519 ? crypto::ed25519_verify(bytes().first<32>(), message, signature)
                                     : crypto::p256_verify(bytes(), message, signature);
}

SigningKey::SigningKey(Secret32 seed) : signer_(crypto::ed25519_signer(std::move(seed))) {}

SigningKey SigningKey::generate(KeyType type) {
    if (type == KeyType::p256) {
        return SigningKey(crypto::p256_signer(crypto::EcSigningKey::generate(crypto::Curve::p256)));
    }
    Secret32 seed;
    crypto::random_bytes(seed.writable());
    return SigningKey(std::move(seed));
}

const PublicKey& SigningKey::public_key() const {
    return signer_->public_key();
}

Result<SignatureBytes> SigningKey::sign(std::span<const std::byte> message) const {
    return signer_->sign(message);
}

Result<Secret32> SigningKey::derive(std::string_view label) const {
    MODELSEAL_TRY_ASSIGN(const auto root, signer_->root_secret());
    Secret32 out;
    crypto::hkdf_sha256(root.bytes(), {}, "modelseal/1 derive: " + std::string(label), out.writable());
    return out;
}

CheckKey public_check_key(const PublicKey& vendor) {
    CheckKey key{vendor, "", {}};
    crypto::hkdf_sha256(vendor.bytes(), {}, "modelseal/1 public check key", key.secret.writable());
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
