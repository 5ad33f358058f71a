// Files that come to lie in a model's folder and are not what they seem, or not meant for it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include <modelseal/format.h>
#include <modelseal/result.h>

namespace modelseal::model {

// ErrorKind::unsupported for a file that stands for one kept elsewhere, as a Git LFS pointer does: nobody means to seal or
// sign it. Reads small files only.
Result<void> refuse_placeholder(const Source& source);

// Names what tools left behind ("__pycache__", ".cache/huggingface", ".DS_Store"), which other copies of the model lack;
// nullopt if none of the paths is in such a place.
std::optional<std::string> leftover_warning(std::span<const std::string> paths);

}  // namespace modelseal::model
