// The sealer's work on the weights: digests in, signed manifest and mark bits out.
#pragma once

#include <functional>

#include "mark/frame_digest.h"
#include "mark/plan.h"
#include "mark/scan.h"
#include "model/output.h"

namespace modelseal::mark {

// The carrier bits that a cell had before: what it takes to undo the seal.
struct Overwritten {
    std::uint32_t tensor = 0;
    std::uint64_t block = 0;
    std::vector<std::byte> bits;
};

struct Embedded {
    Manifest manifest;
    CellHead head;                         // of all cells
    std::vector<Overwritten> overwritten;  // in the order of the plan's places
    std::uint64_t touched = 0;             // elements (bytes of packed types) that changed
};

// Writes the seal into `output`, a copy of `model`; container checksums that were right are right again.
Result<Embedded> embed(const model::Model& model, const SealPlan& plan, Scan scan, const FrameScan& frame,
                       const SigningKey& key, unsigned jobs, model::ModelOutput& output);

// Rewrites the checksums named as right in `frame` after tensors were written.
Result<void> renew_checksums(const model::Model& model, const FrameScan& frame, unsigned jobs,
                             model::ModelOutput& output);

CellHead head_of(const Arrangement& arrangement, const SignedPart& part, std::size_t manifest_bytes);

// What every place ought to hold.
std::vector<std::vector<std::byte>> contents(const Geometry& geometry, const Arrangement& arrangement,
                                             const SignedPart& part, std::span<const CheckValue> checks,
                                             std::span<const std::byte> manifest);

// The check values that the manifest keeps, out of those of all blocks.
std::vector<CheckValue> common_table(const SignedPart& part, const Geometry& geometry,
                                     std::span<const CheckValue> checks);

}  // namespace modelseal::mark
