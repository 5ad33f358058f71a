// What a seal changes, and what it may.
#pragma once

#include "mark/sealing/plan.h"

namespace modelseal::mark {

// How the values of a slot carry.
CarrierKind kind_of(const BlockMap& block_map, const SealPlan& plan, const CellSlot& slot);
// Whether any are halves or codes, where a step is larger than the last place of a float.
bool has_large_steps(const BlockMap& block_map, const SealPlan& plan);

// Values that the cells of a plan will change, by a safe estimate.
std::uint64_t values_changed(const BlockMap& block_map, const SealPlan& plan);
// Values that a full cell in types of this class changes, at the most to be expected.
std::uint64_t values_in_cell(unsigned carrier_class);

// How many values of a model of so many elements a seal may change, if types up to this class carry: the bound
// that is promised in modelseal-seal(5).
std::uint64_t most_changed(std::uint64_t elements, unsigned carrier_class, Audience audience);

// How many values may change for what this seal can do without, names and spread. A step of a half or a code is large
// enough to turn an answer, if rarely.
std::uint64_t most_for_comfort(const BlockMap& block_map, const SealPlan& plan, Audience audience);
// How many for cells to lose. Codes of a small quantized model are few enough for a change of many to be seen.
std::uint64_t most_for_traces(const BlockMap& block_map, const SealPlan& plan);

// What stands against a seal that would change more.
Error too_dear(const model::Model& model, std::uint64_t changed, std::uint64_t most);

}  // namespace modelseal::mark
