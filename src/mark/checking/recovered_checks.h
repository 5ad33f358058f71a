// What survived of a seal in its cells, compared with the list of tensors at hand: the check values of blocks, and which cells carry.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "mark/block_map.h"
#include "mark/layout.h"
#include "mark/manifest.h"
#include "model/model.h"

namespace modelseal::mark {

// Whether the tensors are those that were sealed, as far as can be told: in version 1 by name, type and shape; in version 2 a name is
// part of the frame.
bool same_tensors(const BlockMap& block_map, const SignedPart& part);

// The check value of each block when it was sealed, where a copy survived.
class SealedChecks {
  public:
    // `otherwise`: of each block, what stands for a value of which no copy survived.
    explicit SealedChecks(std::vector<CheckValue> otherwise)
        : values_(std::move(otherwise)), known_(values_.size()) {}

    void set(std::size_t block, CheckValue value) {
        values_[block] = value;
        known_[block] = true;
    }
    bool known(std::size_t block) const { return known_[block]; }
    // One a block: as sealed, or what stands for it.
    std::span<const CheckValue> values() const { return values_; }

  private:
    std::vector<CheckValue> values_;
    std::vector<bool> known_;
};

// The use that the manifest states, and no other, if it is one of this list of tensors.
std::optional<CellUse> stated_use(const model::Model& model, const CellMap& cells, const Manifest& manifest);

// Into `checks`. Where the sealed tensor list differs from ours (`same` is false), the common table is read through
// its directory. Precondition: the signature of the manifest holds.
void recover_common_table(const BlockMap& block_map, const Manifest& manifest, bool same, SealedChecks& checks);
// What a cell of this number says of its tensor.
void recover_own_table(const BlockMap& block_map, const CellMap& cells, std::size_t cell,
                       const CellContent& content, SealedChecks& checks);

}  // namespace modelseal::mark
