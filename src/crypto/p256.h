// Vendor's keys on P-256 and their signatures of 64 bytes; see <modelseal/keys.h>.
//
// ECDSA is malleable: with (r, s) the pair (r, n - s) verifies as well, n being the order of the group. Only
// the smaller s is written, and the larger one refused.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "crypto/ecdsa.h"
#include <modelseal/keys.h>

namespace modelseal::crypto {

// Of what OpenSSL signed, DER; the smaller s is chosen. Nothing if it is no signature on P-256.
std::optional<SignatureBytes> p1363_of_der(std::span<const std::byte> der);
// Nothing unless r and s are at least 1, r at most n - 1 and s at most n / 2.
std::optional<std::vector<std::byte>> der_of_p1363(const SignatureBytes& signature);

// The key of `point`, 33 bytes; nothing if that is no point of the curve.
std::optional<EcPublicKey> p256_of_point(std::span<const std::byte> point);
// Precondition: the key is on P-256.
PublicKey vendor_key_of(const EcPublicKey& key);
bool p256_verify(std::span<const std::byte> point, std::span<const std::byte> message,
                 const SignatureBytes& signature);

// Precondition: the key is on P-256.
std::shared_ptr<const Signer> p256_signer(EcSigningKey key);

// A point whose discrete logarithm nobody knows: the first x-coordinate on the curve among the SHA-256 digests
// of "modelseal/1 derive" and one byte, counting from 0, with an even y. What it agrees on with a secret key
// (ECDH) is the root of all that SigningKey::derive() gives.
std::span<const std::byte> derivation_point();

}  // namespace modelseal::crypto
