// Models whose tensors have other names than when they were sealed: saved from inside a wrapper, or out of one, or
// converted. Their weights are found by type and shape; here they get their sealed names and order back.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mark/manifest.h"
#include "model/model.h"

namespace modelseal::mark {

std::vector<std::string> names_of(std::span<const Tensor> tensors);

// `model` read again, its tensors under the names of a seal and in their order. `names_here[i]` is what the file
// calls tensor i.
struct RenamedModel {
    std::shared_ptr<const model::Model> model;
    std::vector<std::string> names_here;
};

// Tensors are matched one to one, of equal type and shape: by name; else by a wrapper's prefix that all names have
// gained or lost; else by their ordinals, those of `block_map`. Nothing if types and shapes differ, or if the model
// cannot be read again.
std::optional<RenamedModel> under_names(const model::Model& model, const BlockMap& block_map,
                                        const std::vector<DirectoryEntry>& sealed);

// The model's names less up to eight parts that all begin with, or with the prefix of a common wrapper: for seals of
// version 1, whose cells cannot be found without names. The likeliest first.
std::vector<std::vector<std::string>> unwrapped_names(const model::Model& model);
std::optional<RenamedModel> under_names(const model::Model& model, const std::vector<std::string>& sealed);

// In words, how names that were sealed became those that are here: "without 'module.'". Empty if they are the same.
std::string renaming_text(const std::vector<std::string>& sealed, const std::vector<std::string>& here);

}  // namespace modelseal::mark
