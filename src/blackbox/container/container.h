// The fingerprint file: signed by the vendor, encrypted to a check key; described byte by byte in
// modelseal-fingerprint(5).
#pragma once

#include "blackbox/fingerprint.h"
#include <modelseal/format.h>
#include <modelseal/keys.h>

namespace modelseal::blackbox {

// The header of a fingerprint, readable without a key.
struct Shown {
    std::string id;          // hex SHA-256 of the signed file
    std::string vendor_key;  // key id, hex
    std::string created, expires;
    bool for_everybody = false;  // encrypted to the public check key
    FingerprintMethod method = FingerprintMethod::pairs;
};

// A fingerprint file as it will be written.
struct Encoded {
    std::vector<std::byte> bytes;
    std::string id;
};
Result<Encoded> encode(const Fingerprint& fingerprint, const SigningKey& vendor, const CheckKey& check);

// Errors: `mismatch` for a fingerprint of another vendor or customer, and for one that was forged or changed;
// `malformed` for one that is truncated or breaks the format; `mismatch` for one that is expired at `now`
// (seconds since 1970; SOURCE_DATE_EPOCH is ignored).
Result<Fingerprint> load(const Source& source, const CheckKey& check, std::int64_t now);

Result<Shown> show(const Source& source);
bool looks_like_fingerprint(const Source& source);

}  // namespace modelseal::blackbox
