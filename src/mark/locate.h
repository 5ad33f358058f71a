// Is there a seal under this key, and how dense are its cells? Looks at a few cells of every tensor that could
// carry, and stops at the first that holds.
#pragma once

#include <optional>

#include "mark/block_map.h"
#include "model/model.h"

namespace modelseal::mark {

enum class Effort {
    first_cells,  // of each tensor that could carry; enough for an intact seal
    thorough,     // up to 32 of each, in case those were damaged
};

// One valid tag is proof: by chance a tag holds once in 2^61 tries.
Result<std::optional<CellDensity>> locate(const model::Model& model, const BlockMap& block_map,
                                          std::span<const std::byte, 32> secret,
                                          Effort effort = Effort::thorough);

}  // namespace modelseal::mark
