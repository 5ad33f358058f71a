// Where a seal goes: how many cells, in which class of tensors, and what stands in each. Drawn by the sealer,
// who looks for the fewest cells that hold two copies of everything; drawn again by the checker from what is
// signed.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "mark/cell_map.h"
#include "mark/chart.h"
#include "mark/manifest.h"
#include "model/model.h"

namespace modelseal::mark {

// The cells that hold something, and what.
struct Arrangement {
    std::vector<Place> places;
    std::vector<std::size_t> sites;         // of each place: index into CellMap::sites()
    std::vector<std::uint64_t> own_blocks;  // as Chart::draw() wants them
    Chart chart;
};

// `capacities`: one a site. Nothing if what they offer cannot hold it. `in_common_table`: one a tensor.
std::optional<Arrangement> arrange(const Geometry& geometry, const CellMap& cells,
                                   std::span<const std::uint32_t> capacities,
                                   const std::vector<bool>& in_common_table, std::size_t manifest_bytes,
                                   Chart::Spread spread = Chart::Spread::any);

struct SealPlan {
    std::unique_ptr<const Geometry> geometry;
    CellMap cells;
    Arrangement arrangement;
    SignedPart part;                // all but the digests
    std::size_t common_values = 0;  // check values in the common table
};

// So many places make it sure that some survive where nine blocks in ten are overwritten: 999 times in 1,000.
inline constexpr std::size_t kTraceablePlaces = 64;

// `stamp`, `parent` and `vendor` of `wanted` are taken over. The plan has no more places than it takes, or
// `places` if they are affordable: for a mark that is to be traced. ErrorKind::unsupported for a model too
// small to carry, naming how many weights it takes. `model` must outlive the plan.
Result<SealPlan> plan_seal(const model::Model& model, std::span<const std::byte, 32> secret,
                           const SignedPart& wanted, std::size_t places, unsigned jobs);

}  // namespace modelseal::mark
