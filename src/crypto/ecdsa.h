// ECDSA signatures (FIPS 186-5) on the curves of keys.h, each with its hash: P-256 with SHA-256, P-384 with
// SHA-384, P-521 with SHA-512. Of each signature exactly one spelling passes.
//
// OpenSSF signatures are ASN.1 DER. Seals have r and s in 64 bytes, and ECDSA is malleable: with (r, s) the
// pair (r, n - s) verifies as well, n being the order of the group. So only the smaller s is written, and the
// larger one refused.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <modelseal/keys.h>

namespace modelseal::crypto {

// Which hash: the curve's own, or SHA-256 whatever the curve, as release 0.2.0 of the reference signed.
enum class HashChoice { of_curve, sha256 };
// The curve's own, as OpenSSL calls it: "SHA384". Precondition here and below: `type` is a curve.
std::string hash_of(KeyType type);

// Whether `signature` is SEQUENCE { INTEGER r, INTEGER s } in DER (X.690) without anything after it, both
// integers of as few bytes as they need and within [1, n-1]. OpenSSL alone is laxer.
bool der_signature(KeyType type, std::span<const std::byte> signature);

// True only for a strict DER signature by `key` over exactly `message`; false for a key that is not on a curve.
bool ecdsa_verify(const PublicKey& key, std::span<const std::byte> message,
                  std::span<const std::byte> signature, HashChoice hash = HashChoice::of_curve);

// Of a DER signature on P-256; the smaller s is chosen. Nothing if it is not one.
std::optional<SignatureBytes> p1363_of_der(std::span<const std::byte> der);
// Nothing unless r and s are at least 1, r at most n - 1 and s at most n / 2.
std::optional<std::vector<std::byte>> der_of_p1363(const SignatureBytes& signature);

}  // namespace modelseal::crypto
