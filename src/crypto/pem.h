// PEM texts of keys, as OpenSSL writes and reads them: PKCS#8 (RFC 5958, RFC 8410) and SubjectPublicKeyInfo.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/keys.h>

namespace modelseal {

// `shown` names the file in errors, and is what `passphrase` is asked for.
Result<SigningKey> parse_signing_key(std::string_view text, const std::string& shown,
                                     const Passphrase& passphrase);
Result<PublicKey> parse_public_key(std::string_view text, const std::string& shown);

// A pair of keys as PEM texts. The caller wipes `secret`.
struct PemPair {
    std::string secret;
    std::string open;
};

// A fresh pair for OpenSSF model signatures on the curve "P-256", "P-384" or "P-521". Encrypted as
// signing_key_pem() says.
Result<PemPair> generate_ec_pair(std::string_view curve, std::string_view passphrase);

}  // namespace modelseal
