// A check that tells which files it read.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "io/file_state.h"
#include <modelseal/check.h>

namespace modelseal::jobs {

// By their paths in the model's folder, empty for the one file that was named; as model::Model::states().
using FilesRead = std::optional<std::map<std::string, io::FileState>>;

// As modelseal::check_model(). `read`, unless null: the files that the seal was looked for in, as they were when they were
// opened. An intact seal says that none changed until they were read.
Result<CheckReport> check_model(const std::filesystem::path& model, const CheckOptions& options,
                                FilesRead* read);

}  // namespace modelseal::jobs
