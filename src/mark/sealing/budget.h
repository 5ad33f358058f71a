// What a seal changes, and what it may.
#pragma once

#include "mark/sealing/plan.h"

namespace modelseal::mark {

// How the values of a slot carry.
CarrierKind kind_of(const BlockMap& block_map, const SealPlan& plan, const CellSlot& slot);
// Whether any are halves or codes, where a step is larger than the last place of a float.
bool has_large_steps(const BlockMap& block_map, const SealPlan& plan);

// Whether any are codes of four bits: in a small model of those many cells would be seen.
bool has_few_codes(const BlockMap& block_map, const SealPlan& plan);

// Values that the cells of a plan will change, by a safe estimate.
std::uint64_t values_changed(const BlockMap& block_map, const SealPlan& plan);
// Values that a full cell in types of this class changes, at the most to be expected, in blocks of this length.
std::uint64_t values_in_cell(unsigned carrier_class, std::uint64_t block_elements);

// How many values of a model of so many elements a seal changes unless it needs more, if types up to this class carry.
std::uint64_t most_changed(std::uint64_t elements, unsigned carrier_class, Audience audience);
// How many this seal may change before there is none: the bound that is promised in modelseal-seal(5). Of floats on their own
// grid, whose steps are noise, as many as in a customer's seal, so that a small network of many tensors gets one.
std::uint64_t most_at_all(const BlockMap& block_map, const SealPlan& plan, Audience audience);

// How many values may change for what this seal can do without, names and spread. A step of a half or a code is large
// enough to turn an answer, if rarely.
std::uint64_t most_for_comfort(const BlockMap& block_map, const SealPlan& plan, Audience audience);
// How many cells a seal gets that is to be traced: with so many, one survives nearly always where nine runs of 8,192
// elements in ten are overwritten, whatever the size of the model. Fewer if they are not affordable: most_for_traces().
std::uint64_t cells_to_trace(const BlockMap& block_map, const SealPlan& plan);
// How many of a plan's cells are worth as much: one in lowest bits outlives as little as an eighth of that where it may
// lie anywhere in a long block.
std::uint64_t traceable_cells(const BlockMap& block_map, const SealPlan& plan);
// How many values may change for them.
std::uint64_t most_for_traces(const BlockMap& block_map, const SealPlan& plan);

// What stands against a seal that would change more.
Error too_dear(const model::Model& model, std::uint64_t changed, std::uint64_t most);

}  // namespace modelseal::mark
