// What survived of a seal in its cells, compared with the list of tensors at hand: the check values of blocks, and which cells carry.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "mark/block_map.h"
#include "mark/checking/assemble.h"
#include "mark/manifest.h"
#include "model/model.h"

namespace modelseal::mark {

// Whether the tensors are those that were sealed, as far as can be told: in version 1 by name, type and shape; in version 2 a name is
// part of the frame.
bool same_tensors(const BlockMap& block_map, const SignedPart& part);

// The use that the manifest states, and no other, if it is one of this list of tensors.
std::optional<CellUse> stated_use(const model::Model& model, const CellMap& cells, const Manifest& manifest);

// Into `checks`, one entry a block. Where the sealed tensor list differs from ours (`same` is false), the common table is read through
// its directory. Precondition: the signature of the manifest holds.
void recover_common_table(const BlockMap& block_map, const Manifest& manifest, bool same,
                          std::vector<std::optional<CheckValue>>& checks);
void recover_own_tables(const BlockMap& block_map, const CellMap& cells, std::span<const ValidCell> valid,
                        std::vector<std::optional<CheckValue>>& checks);

}  // namespace modelseal::mark
