// A folder as a model. Every regular file in it, at any depth, belongs to the model, except the few that
// folder_rule.h leaves out, so a changed tokenizer or configuration is detected like a changed weight.
//
// Tensors come from
// - the shards that an index (*.index.json) names;
// - every other file that a format recognizes, unless another file names it as its external data;
// in the order of paths. Files that are "unsupported" in their format are frame, with a warning, as long as there is
// another model; "malformed" ones are refused: a broken model must not be sealed by accident.
#pragma once

#include "model/model.h"

namespace modelseal::model {

Result<Model> open_model_folder(const std::filesystem::path& path, const Limits& limits,
                                FolderRule rule = FolderRule::everything);

// Error kind unreadable if a file was added since. (Model::unchanged() detects other changes.)
Result<void> no_file_added(const Model& model);

// For "x-00002-of-00003.gguf" given alone, and for a folder that lacks one of these files: names what is
// missing; else empty. Such parts do not name one another, unlike shards with an index.
std::vector<std::string> missing_part_warnings(const std::vector<std::string>& parts);

}  // namespace modelseal::model
