// The signed part of a seal, read from as few cells as give it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "mark/block_map.h"
#include "mark/checking/assemble.h"
#include "mark/checking/locate.h"
#include "mark/manifest.h"
#include "model/model.h"
#include <modelseal/keys.h>

namespace modelseal::mark {

struct FoundManifest {
    std::unique_ptr<const BlockMap> block_map;
    Located where;
    CellMap cells;  // of no use yet
    FoundCells
        read;  // accepted: the vendor of the key signed the manifest, for a seal of this version and density
};

// Nothing if there is no seal under this key. `completely`: of which tensors all cells are read, one entry a tensor; of the others
// so many as give a manifest that is signed. Reads about 50 KB of a small model, and a few megabytes of a large one.
Result<std::optional<FoundManifest>> find_manifest(const model::Model& model, const CheckKey& key,
                                                   const std::vector<bool>& completely, unsigned jobs);

}  // namespace modelseal::mark
