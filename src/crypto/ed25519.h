// Ed25519 (RFC 8032) by libsodium, which refuses what the RFC leaves open: signatures with S out of range, keys
// of small order and points in a second spelling.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <modelseal/keys.h>

namespace modelseal::crypto {

bool ed25519_verify(std::span<const std::byte, 32> key, std::span<const std::byte> message,
                    const SignatureBytes& signature);
std::shared_ptr<const Signer> ed25519_signer(Secret32 seed);

}  // namespace modelseal::crypto
