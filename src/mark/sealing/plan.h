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
    std::uint64_t most = 0;         // values that may change: most_at_all()
};

// What a seal is to say.
struct SealRequest {
    Stamp stamp;
    VendorHash vendor{};
    std::optional<crypto::Digest> parent;
};

// For whom a seal is. A customer's is to be traced (checking/find_marks.h), so it gets
// cells_to_trace() (budget.h), if that many are affordable.
enum class Audience { everybody, customer };

// The plan has no more cells than it takes. It leaves out blocks whose values are not noise (noise.h).
// ErrorKind::unsupported for a model too small to carry, with the bytes that it has room for and those that the
// seal takes, and for one in which a seal would change more than it may. `model` must outlive the plan.
Result<SealPlan> plan_seal(const model::Model& model, std::span<const std::byte, 32> secret,
                           const SealRequest& request, Audience audience, unsigned jobs);

}  // namespace modelseal::mark
