// Public keys on Ed25519 as PEM, without OpenSSL: to find and set up the decoders for a key takes it longer than to start
// and to hash a small model.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <modelseal/keys.h>

namespace modelseal::crypto {

// SubjectPublicKeyInfo (RFC 8410), exactly as OpenSSL writes it. Precondition: the key is on Ed25519.
std::string ed25519_pem(const PublicKey& key);

// Nothing unless `text` is what ed25519_pem() writes for a valid key; OpenSSL may still be able to read it.
std::optional<PublicKey> ed25519_key_of_pem(std::string_view text);

}  // namespace modelseal::crypto
