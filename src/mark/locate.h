// Is there a seal under this key, and how is it laid out? Looks at a few cells of every tensor that could
// carry.
#pragma once

#include <optional>

#include "mark/geometry.h"
#include "model/model.h"

namespace modelseal::mark {

struct Located {
    unsigned carrier_class = 0;
    unsigned rate_step = 0;
};

enum class Effort {
    first_cells,  // of each tensor that could carry; enough for a seal that is whole
    thorough,     // some more of each, in case those were damaged
};

// One valid tag is proof: by chance a tag holds once in 2^61 tries.
Result<std::optional<Located>> locate(const model::Model& model, const Geometry& geometry,
                                      std::span<const std::byte, 32> secret, Effort effort = Effort::thorough);

}  // namespace modelseal::mark
