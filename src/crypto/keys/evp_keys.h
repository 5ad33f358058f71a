// Converts between keys of keys.h and OpenSSL's. Included by src/crypto only.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "crypto/openssl.h"
#include <modelseal/keys.h>

namespace modelseal::crypto {

// Absent for types that KeyType does not have, and for a key with explicit curve parameters, which could imitate a named
// curve.
std::optional<KeyType> type_of(const EVP_PKEY* key);
// "Ed25519", "P-384", "RSA 2048", "EC secp256k1".
std::string algorithm_of(const EVP_PKEY* key);

// `shown` names the key in errors: `unsupported` for other types, `malformed` for what is not a key of its
// type.
Result<PublicKey> public_key_of(const EVP_PKEY* key, const std::string& shown);
Result<SigningKey> signing_key_of(openssl::Key key, const std::string& shown);
// `der`: SubjectPublicKeyInfo (RFC 5280, section 4.1), and nothing after it.
Result<PublicKey> public_key_of_der(std::span<const std::byte> der, const std::string& shown);

// Null if the bytes of `key` are not a point on its curve.
openssl::Key evp_key_of(const PublicKey& key);

}  // namespace modelseal::crypto
