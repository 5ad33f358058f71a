// Which tensor of one model is which of another, by their names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace modelseal {

// A tensor of each side; either may be absent.
struct TensorPair {
    const Tensor* a = nullptr;
    const Tensor* b = nullptr;
    const std::string& name() const { return a != nullptr ? a->name : b->name; }
};

// First by name; then by a further name (alias) of either; then, for what is left with as many elements, by
// alike_name(), where that is unique on both sides. Sorted by name. Points into the models.
std::vector<TensorPair> pair_tensors(const Model& a, const Model& b);

// What exporters leave of a name: punctuation is alike, and wrappers put "module." in front.
std::string alike_name(std::string_view name);

}  // namespace modelseal
