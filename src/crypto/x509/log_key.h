// Keys of transparency logs, as trusted roots list them: ECDSA on P-256, P-384 or P-521, or Ed25519.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <modelseal/keys.h>
#include <modelseal/result.h>

namespace modelseal::crypto {

class LogKey {
  public:
    // `der`: SubjectPublicKeyInfo; `kind`: as Sigstore calls it, "PKIX_ED25519" (PublicKeyDetails).
    // ErrorKind::unsupported for other kinds, of which nothing is read.
    static Result<LogKey> of(std::string_view kind, std::span<const std::byte> der, const std::string& shown);

    // With the curve's own hash.
    bool verify(std::span<const std::byte> message, std::span<const std::byte> signature) const;

  private:
    explicit LogKey(const PublicKey& key) : key_(key) {}
    PublicKey key_;
};

}  // namespace modelseal::crypto
