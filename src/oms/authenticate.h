// Whose signature a bundle holds, and whether it is one.
#pragma once

#include <cstdint>
#include <string>

#include "crypto/ecdsa.h"
#include "oms/bundle.h"
#include <modelseal/oms.h>

namespace modelseal::oms {

struct Signer {
    std::string name;       // hint of the key, subject of the certificate, or identity
    std::string timestamp;  // RFC 3339; empty if none was needed
};

// Verifies the signature over the bundle's payload under what `options` trusts, at the time `now` (seconds
// since 1970). ErrorKind::mismatch tells why it does not hold; `shown` names the signature's file.
Result<Signer> authenticate(const Bundle& bundle, const VerifyOptions& options, std::int64_t now,
                            const std::string& shown);

// Whether `key` made the bundle's signature over its payload; ErrorKind::mismatch if not.
Result<void> holds(const crypto::EcPublicKey& key, const Bundle& bundle, const std::string& shown);

// Keyless signatures (Sigstore), verified offline: a certificate of minutes that names who signed, and a log
// that says when.

// Precondition: the options hold a trusted root, an identity and an issuer.
Result<Signer> by_identity(const Bundle& bundle, const VerifyOptions& options, const std::string& shown);

}  // namespace modelseal::oms
