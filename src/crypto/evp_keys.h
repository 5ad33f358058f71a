// Vendor's keys out of OpenSSL's: Ed25519, or EC on P-256; others are refused by name.
#pragma once

#include <string>

#include "crypto/openssl.h"
#include <modelseal/keys.h>

namespace modelseal {

inline constexpr const char* kHowToMake =
    "'modelseal keygen' makes one, and so does 'openssl genpkey -algorithm ed25519'";

// `shown` names the file in errors.
Result<SigningKey> signing_key_of(openssl::Key key, const std::string& shown);
Result<PublicKey> public_key_of(openssl::Key key, const std::string& shown);

}  // namespace modelseal
