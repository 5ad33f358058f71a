// One pass over all tensors: digests of blocks, tensors and weights, and what the cells hold. Parallel; memory
// is a buffer a thread and a few bytes a block.
//
//   block digest    cell.h
//   node digest     SHA-256(0x10 | up to 16 block digests)
//   tensor digest   SHA-256(domain, element type and shape (in version 1 identity), elements, block length,
//                           number of blocks, its node digests)
//   weights root    SHA-256(domain, number of tensors, tensor digests by name,
//                           (number of the cell, attempt) of every attempt above 0)
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/hash.h"
#include "mark/block_map.h"
#include "mark/manifest.h"
#include "model/elements.h"
#include "model/model.h"
#include <modelseal/progress.h>

namespace modelseal::mark {

// What one cell holds.
struct CellReading {
    std::uint32_t capacity = 0;    // 0: no room or not used, nothing expected
    bool valid = false;            // its tag holds
    std::uint8_t attempt = 0;      // if valid
    std::vector<std::byte> bytes;  // the content if valid, else tag and content as they seem to be
};

struct WeightScan {
    Version version = Version::two;
    std::vector<CheckValue> checks;  // of every block, tensor by tensor
    std::vector<crypto::Digest> tensors;
    std::vector<CellReading> readings;  // one a cell of the cell map
};

// One reading of the files of a model.
struct Pass {
    unsigned jobs = 0;  // threads; 0: all
};

Result<WeightScan> scan_weights(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                                const Pass& pass, Progress& progress);

// The same where nobody knows yet which cells carry: each that is valid does, on the first grid on which it is. What was
// taken to carry becomes the use of `cells`, if all that is valid in a tensor is so on one grid; nothing if it is not. One pass
// instead of two; the caller holds the use against the manifest.
Result<std::optional<WeightScan>> scan_as_found(const model::Model& model, const BlockMap& block_map,
                                                CellMap& cells, const Pass& pass);

crypto::Digest weights_root(const WeightScan& scan);

// The dense bytes of one block, into `buffer`, which is resized.
Result<void> read_block(const model::Model& model, const BlockMap& block_map, std::size_t tensor,
                        std::uint64_t block, std::vector<std::byte>& buffer);

}  // namespace modelseal::mark
