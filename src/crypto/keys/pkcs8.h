// Secret keys in PKCS#8 (RFC 5958), plain and encrypted, whatever their type.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "crypto/openssl.h"
#include <modelseal/keys.h>

namespace modelseal::crypto {

// `body` is the DER of a PEM block; `shown` names the file in errors.
Result<openssl::PrivateInfo> plain_pkcs8(std::span<const unsigned char> body, const std::string& shown);
// EncryptedPrivateKeyInfo with PBES2. Wrong passphrase: ErrorKind::mismatch.
Result<openssl::PrivateInfo> decrypt_pkcs8(std::span<const unsigned char> body, const std::string& shown,
                                           const Passphrase& passphrase);
// PEM; see signing_key_pem(). The caller wipes it.
Result<std::string> pkcs8_pem(const EVP_PKEY* key, std::string_view passphrase);

}  // namespace modelseal::crypto
