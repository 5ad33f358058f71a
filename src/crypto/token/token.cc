
#include "crypto/token/token.h"

#include <vector>

#include "crypto/keys/evp_keys.h"
#include "crypto/keys/signers.h"
#include "crypto/token/token_session.h"

namespace modelseal::crypto {
namespace {

// The public half is read once, so that verifying needs no token.
Result<PublicKey> public_half(const EVP_PKEY* key, const std::string& shown) {
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
    return public_key_of_der(bytes, shown);
}

}  // namespace

Result<SigningKey> load_token_key(const std::string& uri, const Passphrase& pin, std::optional<KeyUse> use) {
    MODELSEAL_TRY_ASSIGN(auto parsed, parse_pkcs11_uri(uri));
    if (parsed.type && *parsed.type != "private") {
        return Error{ErrorKind::usage, "PKCS#11 URI: does not name a private key, which signing needs",
                     "write type=private, or leave type out"};
    }
    MODELSEAL_TRY_ASSIGN(const auto session, TokenSession::open(std::move(parsed)));
    MODELSEAL_TRY(session->login(pin));
    MODELSEAL_TRY_ASSIGN(auto key, session->key(TokenHalf::secret));
    MODELSEAL_TRY_ASSIGN(const auto open, public_half(key.get(), session->shown()));
    if (use) MODELSEAL_TRY(must_serve(open, *use, session->shown()));
    return SigningKey(
        ec_signer({.token = session, .key = std::move(key), .open = open, .shown = session->shown()}));
}

Result<PublicKey> load_token_public_key(const std::string& uri, const Passphrase& pin) {
    MODELSEAL_TRY_ASSIGN(auto parsed, parse_pkcs11_uri(uri));
    MODELSEAL_TRY_ASSIGN(const auto session, TokenSession::open(std::move(parsed)));
    auto half = TokenHalf::open;
    if (!session->has_key(half)) {
        // Either hidden before the login, or stored as a part of the private key only.
        MODELSEAL_TRY(session->login(pin));
        if (!session->has_key(half)) half = TokenHalf::secret;
    }
    MODELSEAL_TRY_ASSIGN(const auto key, session->key(half));
    return public_half(key.get(), session->shown());
}

}  // namespace modelseal::crypto
