// One pass over all tensors: digests of blocks, tensors and weights, and what the cells hold. Parallel; memory
// is a buffer a thread and a few bytes a block.
//
//   block digest    cell.h
//   node digest     SHA-256(0x10 | up to 16 block digests)
//   tensor digest   SHA-256(domain, identity, elements, block length, number of blocks, its node digests)
//   weights root    SHA-256(domain, number of tensors, tensor digests by name,
//                           (site, attempt) of every attempt above 0)
#pragma once

#include <cstdint>
#include <vector>

#include "crypto/hash.h"
#include "io/progress.h"
#include "mark/cell_map.h"
#include "mark/manifest.h"
#include "model/elements.h"
#include "model/model.h"

namespace modelseal::mark {

// What one cell was found to be.
struct Reading {
    std::uint32_t capacity = 0;    // 0: no room, nothing expected
    bool valid = false;            // its tag holds
    std::uint8_t attempt = 0;      // if valid
    std::vector<std::byte> bytes;  // the content if valid, else tag and content as they seem to be
};

struct Scan {
    std::vector<CheckValue> checks;  // of every block, tensor by tensor
    std::vector<crypto::Digest> tensors;
    std::vector<Reading> readings;  // one a site of the cell map
};

// How the files are gone through.
struct Pass {
    unsigned jobs = 0;  // threads; 0: all
    // Files side by side, each from its beginning: for who shares the reading with a pass that does so.
    unsigned files_at_once = 1;
};

Result<Scan> scan(const model::Model& model, const Geometry& geometry, const CellMap& cells, const Pass& pass,
                  io::Progress& progress);

crypto::Digest weights_root(const Scan& scan);

// The dense bytes of one block, into `buffer`, which is resized.
Result<void> read_block(const model::Model& model, const Geometry& geometry, std::size_t tensor,
                        std::uint64_t block, std::vector<std::byte>& buffer);

}  // namespace modelseal::mark
