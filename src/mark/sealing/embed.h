// The sealer's work on the weights: digests in, signed manifest and mark bits out.
#pragma once

#include "mark/frame_scan.h"
#include "mark/sealing/plan.h"
#include "mark/weight_scan.h"
#include "model/output.h"

namespace modelseal::mark {

// The carrier bits that a cell had before: what it takes to undo the seal.
struct OverwrittenCell {
    std::uint32_t tensor = 0;
    std::uint64_t block = 0;
    std::vector<std::byte> bits;
};

struct Embedded {
    Manifest manifest;
    CellHead head;                             // of all cells
    std::vector<OverwrittenCell> overwritten;  // in the order of the layout's slots
    std::uint64_t touched = 0;                 // elements (bytes of packed types) that changed
};

// Writes the seal into `output`, a copy of `model`; container checksums that were right are right again.
Result<Embedded> embed(const model::Model& model, const SealPlan& plan, WeightScan scan, const FrameScan& frame,
                       const SigningKey& key, unsigned jobs, model::ModelOutput& output);

}  // namespace modelseal::mark
