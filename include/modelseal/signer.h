// The secret half of a key, wherever it is: in memory, read from a file, or in a token.
//
// Thread safety: calls are safe together.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/keys.h>

namespace modelseal {

class Signer {
  public:
    virtual ~Signer() = default;
    virtual const PublicKey& public_key() const = 0;
    // As a seal has it; `unsupported` if the key does not serve seals.
    virtual Result<SignatureBytes> sign(std::span<const std::byte> message) const = 0;
    // As an OpenSSF signature of files has it: ECDSA with the hash of the curve, in DER, of which one spelling
    // is valid (see crypto/ecdsa.h); `unsupported` if the key does not serve these.
    virtual Result<std::vector<std::byte>> sign_der(std::span<const std::byte> message) const = 0;
    // What only the holder of the key can compute; SigningKey::derive() makes secrets of it. `unsupported` if
    // the key does not serve seals.
    virtual Result<Secret32> root_secret() const = 0;
    // PKCS#8, see signing_key_pem().
    virtual Result<std::string> pem(std::string_view passphrase) const = 0;
};

}  // namespace modelseal
