// The secret half of a vendor's key, wherever it is: in memory, read from a file, or in a token.
//
// Thread safety: calls are safe together.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <modelseal/keys.h>

namespace modelseal {

class Signer {
  public:
    virtual ~Signer() = default;
    virtual const PublicKey& public_key() const = 0;
    virtual Result<SignatureBytes> sign(std::span<const std::byte> message) const = 0;
    // What only the holder of the key can compute; SigningKey::derive() makes secrets of it.
    virtual Result<Secret32> root_secret() const = 0;
    // PKCS#8, see signing_key_pem().
    virtual Result<std::string> pem(std::string_view passphrase) const = 0;
};

}  // namespace modelseal
