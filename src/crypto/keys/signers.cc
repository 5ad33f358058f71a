
#include "crypto/keys/signers.h"

#include <array>
#include <stdexcept>

#include <openssl/ec.h>
#include <sodium.h>

#include "crypto/ecdsa.h"
#include "crypto/keys/evp_keys.h"
#include "crypto/keys/pkcs8.h"
#include "crypto/secret.h"
#include <modelseal/signer.h>

namespace modelseal::crypto {
namespace {

const unsigned char* raw_message(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string described(const PublicKey& key) {
    return "key " + to_hex(key.id());
}

// The expanded pair, as libsodium signs with it; wiped when it goes.
struct Pair {
    explicit Pair(const Secret32& seed) { crypto_sign_seed_keypair(open, secret, raw_message(seed.bytes())); }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    ~Pair() { wipe(secret, sizeof secret); }
    unsigned char open[crypto_sign_PUBLICKEYBYTES];
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
};

class Ed25519Signer final : public Signer {
  public:
    explicit Ed25519Signer(Secret32 seed) : seed_(std::move(seed)) {
        const Pair pair(seed_);
        open_ = PublicKey::of(std::as_bytes(std::span(pair.open))).value();
    }
    const PublicKey& public_key() const override { return open_; }
    Result<SignatureBytes> sign(std::span<const std::byte> message) const override {
        const Pair pair(seed_);
        SignatureBytes signature;
        crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, raw_message(message),
                             message.size(), pair.secret);
        return signature;
    }
    Result<std::vector<std::byte>> sign_der(std::span<const std::byte>) const override {
        return must_serve(open_, KeyUse::file_signatures, described(open_)).error();
    }
    Result<Secret32> root_secret() const override { return seed_.clone(); }
    Result<std::string> pem(std::string_view passphrase) const override {
        const openssl::Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                            raw_message(seed_.bytes()), seed_.bytes().size()));
        if (!key) throw std::bad_alloc();
        return pkcs8_pem(key.get(), passphrase);
    }

  private:
    Secret32 seed_;
    PublicKey open_;
};

Result<std::vector<std::byte>> ecdsa_sign(EVP_PKEY* key, KeyType type, std::span<const std::byte> message,
                                          const std::string& shown) {
    const std::unique_ptr<EVP_MD_CTX, openssl::Deleter<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    const auto hash = hash_of(type);
    std::size_t size = 0;
    std::vector<std::byte> signature;
    openssl::take_notes();
    bool done = context && EVP_DigestSignInit_ex(context.get(), nullptr, hash.c_str(), nullptr, nullptr, key,
                                                 nullptr) == 1;
    done = done && EVP_DigestSign(context.get(), nullptr, &size, raw_message(message), message.size()) == 1;
    signature.resize(size);
    done = done && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                  raw_message(message), message.size()) == 1;
    if (!done) {
        return Error{ErrorKind::unreadable, shown + ": could not sign: " + openssl::last_error(), ""};
    }
    signature.resize(size);
    return signature;
}

// P-256: the x-coordinate of the point that the two keys agree on.
Result<Secret32> ecdh(EVP_PKEY* key, EVP_PKEY* other, const std::string& shown) {
    const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    Secret32 out;
    std::size_t size = out.bytes().size();
    openssl::take_notes();
    if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), other) != 1 ||
        EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(out.writable().data()), &size) != 1 ||
        size != out.bytes().size()) {
        return Error{ErrorKind::unsupported, shown + ": derives no secret: " + openssl::last_error(), ""};
    }
    return out;
}

class EcSigner final : public Signer {
  public:
    explicit EcSigner(EcPair pair) : pair_(std::move(pair)) {}
    const PublicKey& public_key() const override { return pair_.open; }
    Result<SignatureBytes> sign(std::span<const std::byte> message) const override {
        MODELSEAL_TRY(must_serve(pair_.open, KeyUse::seals, pair_.shown));
        MODELSEAL_TRY_ASSIGN(const auto der, sign_der(message));
        const auto signature = p1363_of_der(der);
        // A token may be broken, or lie; what it gives is looked at before anything is built on it.
        if (!signature || !pair_.open.verify(message, *signature)) {
            return Error{ErrorKind::unreadable, pair_.shown + ": gave a signature that does not verify", ""};
        }
        return *signature;
    }
    Result<std::vector<std::byte>> sign_der(std::span<const std::byte> message) const override {
        return ecdsa_sign(pair_.key.get(), pair_.open.type(), message, pair_.shown);
    }
    Result<Secret32> root_secret() const override {
        MODELSEAL_TRY(must_serve(pair_.open, KeyUse::seals, pair_.shown));
        const auto point = evp_key_of(PublicKey::of(derivation_point()).value());
        auto secret = ecdh(pair_.key.get(), point.get(), pair_.shown);
        if (secret.ok() || !pair_.token) return secret;
        auto error = std::move(secret).error();
        error.hint = "the token must let the key derive (CKA_DERIVE) as well as sign";
        error.remedy = Remedy::allow_derivation;
        return error;
    }
    Result<std::string> pem(std::string_view passphrase) const override {
        if (!pair_.token) return pkcs8_pem(pair_.key.get(), passphrase);
        return Error{ErrorKind::usage, pair_.shown + ": the key cannot leave its token", ""};
    }

  private:
    EcPair pair_;
};

}  // namespace

bool ed25519_verify(std::span<const std::byte, 32> key, std::span<const std::byte> message,
                    const SignatureBytes& signature) {
    return crypto_sign_verify_detached(raw_message(signature), raw_message(message), message.size(),
                                       raw_message(key)) == 0;
}

std::shared_ptr<const Signer> ed25519_signer(Secret32 seed) {
    return std::make_shared<Ed25519Signer>(std::move(seed));
}

std::shared_ptr<const Signer> ec_signer(EcPair pair) {
    return std::make_shared<EcSigner>(std::move(pair));
}

SigningKey generate_ec_key(KeyType type) {
    openssl::Key key(EVP_EC_gen(std::string(name_of(type)).c_str()));
    if (!key) throw std::runtime_error("OpenSSL failed: " + openssl::last_error());
    return signing_key_of(std::move(key), "new key").value();
}

std::span<const std::byte> derivation_point() {
    static constexpr std::array<unsigned char, 33> kPoint = {
        0x02, 0x81, 0x0e, 0x09, 0xd2, 0x12, 0x87, 0xac, 0xa1, 0xb7, 0x7a, 0xd9, 0x75, 0x0f, 0x59, 0x46, 0x7f,
        0x47, 0xad, 0xe2, 0x54, 0xc8, 0x46, 0x96, 0x09, 0xe6, 0x5c, 0xcf, 0x20, 0x19, 0x11, 0x27, 0xda};
    return std::as_bytes(std::span(kPoint));
}

}  // namespace modelseal::crypto
