// Authenticates a bundle: finds the signer and verifies the signature.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "oms/bundle.h"
#include <modelseal/oms.h>

namespace modelseal::oms {

struct Signer {
    std::string name;       // id of the key, subject of the certificate, or identity
    std::string timestamp;  // RFC 3339; empty if none was needed
};

// Verifies the signature over the bundle's payload under the keys or authorities that `check` trusts, at
// the time `now` (seconds since 1970). ErrorKind::mismatch states why it does not hold; `shown` names the
// signature's file.
Result<Signer> authenticate(const Bundle& bundle, const SignatureCheck& check, std::int64_t now,
                            const std::string& shown);

// The id of the key that a bundle with this hint claims to be signed with, as PublicKey::id() is shown; empty
// for a hint that is not the digest of a key.
std::string key_id_of_hint(std::string_view hint);

// Verifies that `key` made the bundle's signature over its payload; ErrorKind::mismatch if not.
Result<void> holds(const PublicKey& key, const Bundle& bundle, const std::string& shown);

// Keyless signatures (Sigstore), verified offline: a short-lived certificate that names the signer, and a log
// that states when it was used.

// Precondition: `check` has a trusted root, an identity and an issuer.
Result<Signer> by_identity(const Bundle& bundle, const SignatureCheck& check, const std::string& shown);

}  // namespace modelseal::oms
