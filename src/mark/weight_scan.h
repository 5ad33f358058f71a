// One pass over all tensors: digests of blocks, tensors and weights, and what the cells hold. Parallel; memory
// is a batch or two a thread and a few bytes a block.
//
//   block digest    cell.h
//   node digest     SHA-256(0x10 | up to 16 block digests)
//   tensor digest   SHA-256(domain, element type and shape (in version 1 identity), elements, block length,
//                           number of blocks, its node digests)
//   weights root    SHA-256(domain, number of tensors, tensor digests by name,
//                           (number of the cell, attempt) of every attempt above 0)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "crypto/hash.h"
#include "hash/block_hasher.h"
#include "mark/block_map.h"
#include "mark/cell_readings.h"
#include "mark/manifest.h"
#include "model/elements.h"
#include "model/model.h"
#include <modelseal/progress.h>

namespace modelseal::mark {

struct WeightScan {
    Version version = Version::two;
    std::vector<CheckValue> checks;  // of every block, tensor by tensor
    std::vector<crypto::Digest> tensors;
    CellReadings readings;  // one a cell of the cell map
    // Digests of their blocks, if these were asked for (Pass::digests_of_cells).
    std::vector<crypto::Digest> cell_blocks;
};

// Of all tensors, dense.
std::uint64_t bytes_of_weights(const model::Model& model);

// Gets the weights as they are read and hashed: elements [first, first + count) of a tensor, dense. Called by several
// threads at once.
using Witness = std::function<Result<void>(const Tensor& tensor, std::uint64_t first, std::uint64_t count,
                                           std::span<const std::byte> bytes)>;

// Digests of all blocks of so many bytes of a tensor, as plain_digest() gives them, where they are known without reading
// it; nothing where they are not. Of a tensor that is known only blocks with a cell are read.
using KnownBlocks = std::function<Result<std::optional<std::vector<crypto::Digest>>>(
    std::size_t tensor, std::uint64_t block_bytes)>;

// How a model is read.
struct Pass {
    unsigned jobs = 0;  // threads; 0: all
    // Hashes the blocks without a cell; null: the processor. Not owned, as all that follows.
    const hash::BlockHasher* hasher = nullptr;
    const Witness* witness = nullptr;
    const KnownBlocks* known = nullptr;
    bool digests_of_cells = false;  // for scan_cells()
};

Result<WeightScan> scan_weights(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                                const Pass& pass, Progress& progress);

// The same where nobody knows yet which cells carry: each that is valid does, on the first grid on which it is. What was
// taken to carry becomes the use of `cells`, if all that is valid in a tensor is so on one grid; nothing if it is not. One pass
// instead of two; the caller holds the use against the manifest.
Result<std::optional<WeightScan>> scan_as_found(const model::Model& model, const BlockMap& block_map,
                                                CellMap& cells, const Pass& pass);

// What scan_weights() gives for a copy of a model that was `scanned`, of which blocks with a cell alone were written to
// since: only these are read. Nothing if the digest of one of them is another one. Precondition: the cells are those of
// the scan, which has digests of their blocks.
Result<std::optional<WeightScan>> scan_cells(const model::Model& copy, const BlockMap& block_map,
                                             const CellMap& cells, const WeightScan& scanned, unsigned jobs);

crypto::Digest weights_root(const WeightScan& scan);

// The dense bytes of one block, into `buffer`, which is resized.
Result<void> read_block(const model::Model& model, const BlockMap& block_map, std::size_t tensor,
                        std::uint64_t block, std::vector<std::byte>& buffer);

}  // namespace modelseal::mark
