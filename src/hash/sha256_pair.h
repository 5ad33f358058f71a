// SHA-256 of two blocks at a time by the SHA instructions of x86: each waits for the result of the one before, so two
// independent chains side by side take little longer than one.
#pragma once

#include <cstddef>

#include "crypto/hash.h"

namespace modelseal::hash {

// Whether this processor has them.
bool can_hash_pairs();

// SHA-256(prefix | a) and SHA-256(prefix | b), of blocks of the same length. Precondition: can_hash_pairs().
void hash_pair(std::byte prefix, const std::byte* a, const std::byte* b, std::size_t bytes,
               crypto::Digest& digest_a, crypto::Digest& digest_b);

}  // namespace modelseal::hash
