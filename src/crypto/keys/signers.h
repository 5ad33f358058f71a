// Signers whose secret half is in memory, or in a token that OpenSSL reaches. Included by src/crypto only.
//
// Ed25519 (RFC 8032) is computed by libsodium, which refuses what the RFC leaves open: signatures with S out of
// range, keys of small order and points in a second spelling. The curves are computed by OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "crypto/openssl.h"
#include <modelseal/keys.h>

namespace modelseal::crypto {

bool ed25519_verify(std::span<const std::byte, 32> key, std::span<const std::byte> message,
                    const SignatureBytes& signature);
std::shared_ptr<const Signer> ed25519_signer(Secret32 seed);

struct EcPair {
    std::shared_ptr<void> token = {};  // what the key lives in, and must outlive it; null: it is in memory
    openssl::Key key;
    PublicKey open;     // its public half, on a curve
    std::string shown;  // names the key in errors
};
std::shared_ptr<const Signer> ec_signer(EcPair pair);
SigningKey generate_ec_key(KeyType type);

// A point on P-256 whose discrete logarithm nobody knows: the first x-coordinate on the curve among the SHA-256
// digests of "modelseal/1 derive" and one byte, counting from 0, with an even y. What it agrees on with a
// secret key (ECDH, SP 800-56A) is the root of all that SigningKey::derive() gives.
std::span<const std::byte> derivation_point();

}  // namespace modelseal::crypto
