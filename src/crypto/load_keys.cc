#include "crypto/check_key.h"
#include "crypto/p256.h"
#include "crypto/pem.h"
#include "crypto/secret.h"
#include "crypto/token/pkcs11_uri.h"
#include "crypto/token/token.h"
#include "io/file.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal {
namespace {

// No key comes near it; an RSA key of 16,384 bits, loaded by mistake, must still be named.
constexpr std::uint64_t kMaximalKeyFile = 64u << 10;

Result<SigningKey> vendor_key_in_token(crypto::EcSigningKey key) {
    const auto curve = key.public_key().curve();
    if (curve == crypto::Curve::p256) return SigningKey(crypto::p256_signer(std::move(key)));
    return Error{
        ErrorKind::unsupported,
        key.shown() + ": an EC key on " + std::string(crypto::name_of(curve)) + ", one on P-256 is needed",
        "other curves are for 'modelseal sign'"};
}

}  // namespace

Result<SigningKey> load_signing_key(const std::string& path, const Passphrase& passphrase) {
    if (crypto::is_pkcs11_uri(path)) {
        MODELSEAL_TRY_ASSIGN(auto key, crypto::load_token_key(path, passphrase));
        return vendor_key_in_token(std::move(key));
    }
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(path, kMaximalKeyFile));
    const crypto::WipeAtEnd wiped(text);
    return parse_signing_key(text, util::printable(path), passphrase);
}

Result<PublicKey> load_public_key(const std::string& path) {
    MODELSEAL_TRY(crypto::must_be_file(path));
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(path, kMaximalKeyFile));
    const crypto::WipeAtEnd wiped(text);  // a private key may have been given by mistake
    return parse_public_key(text, util::printable(path));
}

Result<CheckKey> load_check_key(const std::string& path) {
    MODELSEAL_TRY_ASSIGN(std::string text, io::read_text(path, kMaximalKeyFile));
    const crypto::WipeAtEnd wiped(text);
    return parse_check_key(text, util::printable(path));
}

}  // namespace modelseal
