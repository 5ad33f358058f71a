
#include "crypto/token/token.h"

#include <vector>

#include "crypto/ec_handle.h"
#include "crypto/token/token_session.h"

namespace modelseal::crypto {
namespace {

class SecretInToken final : public EcSecret {
  public:
    SecretInToken(std::shared_ptr<TokenSession> session, openssl::Key key, Curve curve)
        : session_(std::move(session)), key_(std::move(key)), curve_(curve) {}
    Result<std::vector<std::byte>> sign(std::span<const std::byte> message) const override {
        return ecdsa_sign(key_.get(), curve_, message, session_->shown());
    }
    Result<Secret32> agree(const EcPublicKey& other) const override {
        auto secret = ecdh_p256(key_.get(), other.handle().key.get(), session_->shown());
        if (secret.ok()) return secret;
        auto error = std::move(secret).error();
        error.hint = "the token must let the key derive (CKA_DERIVE) as well as sign";
        error.remedy = Remedy::allow_derivation;
        return error;
    }
    Result<std::string> pem(std::string_view) const override {
        return Error{ErrorKind::usage, session_->shown() + ": the key cannot leave its token", ""};
    }

  private:
    std::shared_ptr<TokenSession> session_;  // outlives the key
    openssl::Key key_;
    Curve curve_;
};

// As a key of OpenSSL's own, which does not ask the token.
Result<EcPublicKey> public_half(const EVP_PKEY* key, const std::string& shown) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    if (size <= 0) {
        openssl::take_notes();
        return Error{ErrorKind::unsupported, shown + ": the token does not show the public half of the key",
                     "store it on the token next to the private key, with the same id"};
    }
    const auto* const begin = reinterpret_cast<const std::byte*>(der);
    const std::vector<std::byte> bytes(begin, begin + size);
    OPENSSL_free(der);
    return EcPublicKey::of_der(bytes, shown);
}

}  // namespace

Result<EcSigningKey> load_token_key(const std::string& uri, const Passphrase& pin) {
    MODELSEAL_TRY_ASSIGN(auto parsed, parse_pkcs11_uri(uri));
    if (parsed.type && *parsed.type != "private") {
        return Error{ErrorKind::usage, "PKCS#11 URI: does not name a private key, which signing needs",
                     "write type=private, or leave type out"};
    }
    MODELSEAL_TRY_ASSIGN(const auto session, TokenSession::open(std::move(parsed)));
    MODELSEAL_TRY(session->login(pin));
    MODELSEAL_TRY_ASSIGN(auto key, session->key(TokenHalf::secret));
    MODELSEAL_TRY_ASSIGN(auto open, public_half(key.get(), session->shown()));
    auto secret = std::make_shared<SecretInToken>(session, std::move(key), open.curve());
    return EcSigningKey(std::move(secret), std::move(open), session->shown());
}

Result<EcPublicKey> load_token_public_key(const std::string& uri, const Passphrase& pin) {
    MODELSEAL_TRY_ASSIGN(auto parsed, parse_pkcs11_uri(uri));
    MODELSEAL_TRY_ASSIGN(const auto session, TokenSession::open(std::move(parsed)));
    auto half = TokenHalf::open;
    if (!session->has_key(half)) {
        // Hidden before the login, or there as part of the private key only.
        MODELSEAL_TRY(session->login(pin));
        if (!session->has_key(half)) half = TokenHalf::secret;
    }
    MODELSEAL_TRY_ASSIGN(const auto key, session->key(half));
    return public_half(key.get(), session->shown());
}

}  // namespace modelseal::crypto
