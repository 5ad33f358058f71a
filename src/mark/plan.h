// The sealer's choice: how many cells a seal gets, in which class of tensors, and what stands in each. It takes
// the fewest cells that hold two copies of everything.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "mark/layout.h"
#include "model/model.h"

namespace modelseal::mark {

struct SealPlan {
    std::unique_ptr<const BlockMap> block_map;
    CellMap cells;
    CellLayout layout;
    SignedPart signed_part;         // all but the digests
    std::size_t common_values = 0;  // check values in the common table
};

// With so many cells some survive where nine blocks in ten are overwritten: 999 times in 1,000.
inline constexpr std::size_t kTraceableCells = 64;

// What a seal is to say.
struct SealRequest {
    Stamp stamp;
    VendorHash vendor{};
    std::optional<crypto::Digest> parent;
};

// The plan has no more slots than it takes, or `slots` if they are affordable: for a mark that is to be traced.
// ErrorKind::unsupported for a model too small to carry, naming how many weights it takes. `model` must outlive
// the plan.
Result<SealPlan> plan_seal(const model::Model& model, std::span<const std::byte, 32> secret,
                           const SealRequest& request, std::size_t slots, unsigned jobs);

}  // namespace modelseal::mark
