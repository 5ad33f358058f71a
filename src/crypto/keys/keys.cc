#include <algorithm>

#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/keys/check_key.h"
#include "crypto/keys/evp_keys.h"
#include "crypto/keys/pem.h"
#include "crypto/keys/signers.h"
#include "crypto/keystream.h"
#include "crypto/secret.h"
#include "crypto/token/pkcs11_uri.h"
#include "crypto/token/token.h"
#include "util/text.h"
#include <modelseal/keys.h>
#include <modelseal/signer.h>

namespace modelseal {
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
    constexpr std::string_view kNames[] = {"Ed25519", "P-256", "P-384", "P-521"};
    return kNames[static_cast<std::size_t>(type)];
}

std::optional<PublicKey> PublicKey::of(std::span<const std::byte> bytes) {
    for (const auto type : {KeyType::ed25519, KeyType::p256, KeyType::p384, KeyType::p521}) {
        if (bytes.size() != size_of(type)) continue;
        PublicKey key;
        key.type_ = type;
        std::ranges::copy(bytes, key.bytes_.begin());
        return type == KeyType::ed25519 || crypto::evp_key_of(key) ? std::optional(key) : std::nullopt;
    }
    return std::nullopt;
}

KeyId PublicKey::id() const {
    // OpenSSL takes as long to write a PEM text as to hash a small model, and many models in sequence are by one vendor.
    struct Known {
        PublicKey key;
        KeyId id{};
        bool set = false;
    };
    static thread_local Known last;
    if (last.set && last.key == *this) return last.id;
    const auto text = public_key_pem(*this);
    const auto digest = crypto::Sha256().update(std::as_bytes(std::span(text))).finish();
    KeyId id;
    std::copy_n(digest.begin(), id.size(), id.begin());
    last = {*this, id, true};
    return id;
}

bool PublicKey::verify(std::span<const std::byte> message, const SignatureBytes& signature) const {
    if (type_ == KeyType::ed25519) return crypto::ed25519_verify(bytes().first<32>(), message, signature);
    if (!serves(KeyUse::seals)) return false;
    const auto der = crypto::der_of_p1363(signature);
    return der && crypto::ecdsa_verify(*this, message, *der);
}

SigningKey::SigningKey(Secret32 seed) : signer_(crypto::ed25519_signer(std::move(seed))) {}

SigningKey SigningKey::generate(KeyType type) {
    if (type != KeyType::ed25519) return crypto::generate_ec_key(type);
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

Result<void> must_serve(const PublicKey& key, KeyUse use, const std::string& shown) {
    if (key.serves(use)) return {};
    const auto* what = use == KeyUse::seals
                           ? ", which is for signatures of files; a seal needs an Ed25519 or P-256 key"
                           : ", which is for seals; a signature of files needs a P-256, P-384 or P-521 key";
    const auto* article = key.type() == KeyType::ed25519 ? "an " : "a ";
    return Error{ErrorKind::unsupported,
                 shown + ": is " + article + std::string(name_of(key.type())) + " key" + what, ""};
}

Result<SigningKey> load_signing_key(const std::string& path, const Passphrase& passphrase,
                                    std::optional<KeyUse> use) {
    if (crypto::is_pkcs11_uri(path)) return crypto::load_token_key(path, passphrase, use);
    MODELSEAL_TRY_ASSIGN(std::string text, crypto::read_key_file(path));
    const crypto::WipeAtEnd wiped(text);
    const auto shown = util::printable(path);
    MODELSEAL_TRY_ASSIGN(auto key, crypto::parse_signing_key(text, shown, passphrase));
    if (use) MODELSEAL_TRY(must_serve(key.public_key(), *use, shown));
    return key;
}

Result<PublicKey> load_public_key(const std::string& path, std::optional<KeyUse> use) {
    MODELSEAL_TRY(crypto::must_be_file(path));
    MODELSEAL_TRY_ASSIGN(std::string text, crypto::read_key_file(path));
    const crypto::WipeAtEnd wiped(text);
    const auto shown = util::printable(path);
    MODELSEAL_TRY_ASSIGN(auto key, crypto::parse_public_key(text, shown));
    if (use) MODELSEAL_TRY(must_serve(key, *use, shown));
    return key;
}

Result<CheckKey> load_check_key(const std::string& path) {
    MODELSEAL_TRY_ASSIGN(std::string text, crypto::read_key_file(path));
    const crypto::WipeAtEnd wiped(text);
    return crypto::parse_check_key(text, util::printable(path));
}

Result<std::string> new_check_key(const SigningKey& vendor, const std::string& customer) {
    return crypto::make_check_key(vendor, customer);
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
