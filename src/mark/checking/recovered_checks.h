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

// The check value of each block when it was sealed, where a copy survived. Of an intact seal these are the values of the
// blocks as they are, of which it keeps no second copy.
class SealedChecks {
  public:
    // Nothing stands for a value of which no copy survived.
    explicit SealedChecks(std::size_t blocks) : own_(blocks), values_(own_), known_(blocks) {}
    // `otherwise`: of each block, what stands for such a value. Must outlive this object unchanged, at its place.
    explicit SealedChecks(std::span<const CheckValue> otherwise)
        : values_(otherwise), known_(otherwise.size()) {}
    SealedChecks(SealedChecks&&) = default;
    SealedChecks& operator=(SealedChecks&&) = default;

    void set(std::size_t block, CheckValue value) {
        known_[block] = true;
        if (values_[block] == value) return;
        if (own_.empty()) {
            own_.assign(values_.begin(), values_.end());
            values_ = own_;
        }
        own_[block] = value;
    }
    bool known(std::size_t block) const { return known_[block]; }
    // One a block: as sealed, or what stands for it.
    std::span<const CheckValue> values() const { return values_; }

  private:
    std::vector<CheckValue> own_;  // from the first value on that is another one
    std::span<const CheckValue> values_;
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
