// Hashing on the processor, for itself and in place of a card that fails.
#pragma once

#include <vector>

#include "hash/block_hasher.h"

namespace modelseal::hash {

// Not thread-safe.
class ProcessorDigests {
  public:
    // SHA-256(prefix | block) of each block in `buffer`; valid until the next call.
    std::span<const crypto::Digest> of(std::span<const std::byte> buffer, std::byte prefix,
                                       std::span<const Block> blocks);

  private:
    crypto::Sha256 hash_;
    std::vector<crypto::Digest> digests_;
};

}  // namespace modelseal::hash
