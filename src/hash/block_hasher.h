// Hashes many blocks of bytes at a time: the seam between reading a model and what its digests are for. A back end
// decides where the hashing happens.
//
//     const auto batch = hasher.make_batch(bytes, blocks);
//     ... read blocks into batch->buffer() ...
//     batch->start(prefix, where_they_are);
//     ... do something else, as fill another batch ...
//     for (const auto& digest : batch->finish()) ...
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "crypto/hash.h"
#include <modelseal/result.h>

namespace modelseal::hash {

// Bytes [offset, offset + bytes) of a batch's buffer.
struct Block {
    std::size_t offset = 0;
    std::size_t bytes = 0;
};

// A buffer, and the hashing of blocks in it. Thread safety: none. The destructor waits for what was started.
class Batch {
  public:
    virtual ~Batch() = default;

    // Where blocks are to be read into; a card hashes fastest those at multiples of 16 bytes. From start() to finish() it
    // may be read, not written.
    virtual std::span<std::byte> buffer() = 0;
    // Starts to compute SHA-256(prefix | block) of each block. Blocks lie in the buffer and may overlap. Errors show in
    // finish().
    virtual void start(std::byte prefix, std::span<const Block> blocks) = 0;
    // Waits for the digests, in the order of the blocks; valid until the next start(). Precondition: start() was called.
    virtual Result<std::span<const crypto::Digest>> finish() = 0;
};

// Thread safety: any number of threads may make batches; the hasher must outlive them.
class BlockHasher {
  public:
    virtual ~BlockHasher() = default;

    // How many bytes are worth hashing at a time, and how many batches a thread should have in turn, so that it fills
    // one while another is hashed. 1: nothing is gained by a second, start() does all the work.
    virtual std::size_t batch_bytes() const = 0;
    virtual unsigned batches() const = 0;
    // With a buffer of this many bytes, for at most this many blocks at a time.
    virtual Result<std::unique_ptr<Batch>> make_batch(std::size_t bytes, std::size_t blocks) const = 0;
    // What failed so far and was made up for, for a warning; empty: nothing.
    virtual std::string trouble() const { return {}; }
};

// Hashes on the calling thread: two blocks at a time where the processor has instructions for it, else with OpenSSL.
const BlockHasher& processor();

}  // namespace modelseal::hash
