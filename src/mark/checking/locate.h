// Is there a seal under this key, of which version, and how dense are its cells? Looks at a few cells of every
// tensor that could carry, and stops at the first that holds.
#pragma once

#include <memory>
#include <optional>

#include "mark/block_map.h"
#include "model/model.h"

namespace modelseal::mark {

enum class Effort {
    first_cells,  // of each tensor that could carry; enough for an intact seal
    further_cells,  // up to 32 of each but the first, in case those were damaged; and the first of each as if it were
    // in the place of another of its type and shape, in case tensors were renamed, added or removed
};

struct Located {
    Version version = Version::two;
    CellDensity density;
};

// One valid tag is proof: by chance a tag holds once in 2^61 tries. `only`: of the versions.
Result<std::optional<Located>> locate(const model::Model& model, const BlockMap& block_map,
                                      std::span<const std::byte, 32> secret, Effort effort,
                                      std::optional<Version> only = {});

// How much of a model is looked at for a trace of a seal. Of an intact seal every first cell holds, so that with many keys the one
// that counts is found without a close look for the seals of all others.
enum class Sight {
    glance,      // the first cell of one tensor, in a seal of this version, on its own grid: about 0.1 ms
    short_look,  // those of a few tensors, in seals of all versions, on all grids, in blocks of all lengths
};
// `block_map`: cut in the usual way.
Result<bool> shows_seal(const model::Model& model, const BlockMap& block_map,
                        std::span<const std::byte, 32> secret, Sight sight);

// A seal in a model that is cut into blocks in the usual way, or in another one: a sealer may choose longer blocks, and
// tensors may have been added or removed since.
struct FoundSeal {
    std::unique_ptr<const BlockMap> block_map;
    Located where;
};
Result<std::optional<FoundSeal>> find_seal(const model::Model& model, std::span<const std::byte, 32> secret);

// The ordinals (block_map.h) that tensors had when they were sealed, by their first cells; where these say nothing,
// those that are left, in order. For seals of version 2.
Result<std::vector<std::uint64_t>> sealed_ordinals(const model::Model& model, const BlockMap& block_map,
                                                   std::span<const std::byte, 32> secret);

}  // namespace modelseal::mark
