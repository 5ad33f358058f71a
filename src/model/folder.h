// A folder as a model. Every regular file in it, at any depth, belongs to the model, except the few that
// folder_rule.h leaves out, so a changed tokenizer or configuration is detected like a changed weight.
//
// Tensors come from
// - the shards that an index (*.index.json) names;
// - every other file that a format recognizes, unless another file names it as its external data;
// in the order of paths. A file that cannot be read as what it looks like is frame, with a warning, as long as there is
// another model, and so is an index that is none, or that contradicts its shards. Refused is a "malformed" file that an
// index names, or that is a numbered part of a model: it is no bystander, and a broken model must not be sealed by accident.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"

namespace modelseal::model {

Result<Model> open_model_folder(const std::filesystem::path& path, const Limits& limits,
                                FolderRule rule = FolderRule::everything);

// Error kind unreadable if a file was added since. (Model::unchanged() detects other changes.)
Result<void> no_file_added(const Model& model);

// For "x-00002-of-00003.gguf" given alone, and for a folder that lacks one of these files: names what is
// missing; else empty. Such parts do not name one another, unlike shards with an index.
std::vector<std::string> missing_part_warnings(const std::vector<std::string>& parts);

// For such a part that was opened alone: which it is, and whether the others lie in its folder. Nullopt for other files.
std::optional<std::string> other_parts_warning(const std::filesystem::path& path);

}  // namespace modelseal::model
