// Encryption for the holders of a secret: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under a key that
// is used once.
//
// Thread safety: calls are safe together. All but random_salt() are pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <modelseal/keys.h>

namespace modelseal::crypto {

using Salt = std::array<std::byte, 32>;

Salt random_salt();

inline constexpr std::size_t kBoxOverhead = 16;  // the Poly1305 tag after the ciphertext

// Key (32 bytes) and nonce (24) are HKDF-SHA-256 of `secret`, `salt` and `label`: a salt must never be used for
// two boxes. `open` stays readable and is authenticated with the rest.
std::vector<std::byte> seal_box(const Secret32& secret, const Salt& salt, std::string_view label,
                                std::span<const std::byte> open, std::span<const std::byte> plain);

// Absent if any argument differs from what was sealed, in any bit.
std::optional<std::vector<std::byte>> open_box(const Secret32& secret, const Salt& salt, std::string_view label,
                                               std::span<const std::byte> open, std::span<const std::byte> box);

}  // namespace modelseal::crypto
