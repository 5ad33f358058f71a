// What a key file shows without its passphrase. Nothing here is secret.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal::crypto {

struct KeyFacts {
    enum class Half { secret, open, check, certificate };
    Half half = Half::open;
    bool encrypted = false;
    std::string algorithm;  // "Ed25519", "P-256", "RSA 2048", "EC secp256k1"; empty while it is encrypted
    std::string key_id;     // hex; of a check key, its vendor's; empty for types that keys.h does not have
    std::string customer;   // of a check key
    // Certificates only. `not_after` is in RFC 3339.
    std::string subject, issuer, not_after;
};

// `shown` names the file in errors. Unsupported for PEM blocks of other kinds, by name.
Result<KeyFacts> describe_key(std::string_view text, const std::string& shown);

}  // namespace modelseal::crypto
