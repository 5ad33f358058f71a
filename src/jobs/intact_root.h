// The root of a model's seal, to which signatures and fingerprints are bound.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "model/model.h"
#include <modelseal/keys.h>

namespace modelseal::jobs {

// The root of the seal under one of `keys`, hex; nullopt if there is no seal under them. ErrorKind::mismatch
// for a seal that is not intact, and the Error itself if the model cannot be read: neither means that there
// is no seal. `device` hashes (hash/cards.h).
Result<std::optional<std::string>> intact_root(const model::Model& model, std::span<const CheckKey> keys,
                                               unsigned jobs, const std::string& device = "auto");
Result<std::optional<std::string>> intact_root(const std::filesystem::path& model,
                                               std::span<const CheckKey> keys, unsigned jobs,
                                               const std::string& device = "auto");

}  // namespace modelseal::jobs
