// What ecdsa.h keeps to itself: the OpenSSL key behind it. Included by src/crypto only.
#pragma once

#include <memory>

#include "crypto/ecdsa.h"
#include "crypto/openssl.h"
#include "crypto/pem_block.h"

namespace modelseal::crypto {

struct EcKeyHandle {
    openssl::Key key;
};

inline std::shared_ptr<const EcKeyHandle> make_handle(openssl::Key key) {
    return std::make_shared<const EcKeyHandle>(EcKeyHandle{std::move(key)});
}

// What OpenSSL computes with the secret half of `key`, here or in a token; `shown` names it in errors.
Result<std::vector<std::byte>> ecdsa_sign(EVP_PKEY* key, Curve curve, std::span<const std::byte> message,
                                          const std::string& shown);
Result<Secret32> ecdh_p256(EVP_PKEY* key, EVP_PKEY* other, const std::string& shown);

// The key of a block "EC PRIVATE KEY" (SEC 1, RFC 5915), on whatever curve.
Result<openssl::Key> sec1_key(const PemBlock& block, const std::string& shown);

}  // namespace modelseal::crypto
