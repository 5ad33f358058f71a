// The signature that lies beside a model, where signing tools leave it.
#pragma once

#include <filesystem>
#include <optional>

namespace modelseal::jobs {

// NAME.sig, or model.sig: in a folder, or next to it or to a file, if it says that it is of this model (it may
// be of a neighbour).
std::optional<std::filesystem::path> signature_beside(const std::filesystem::path& model);

}  // namespace modelseal::jobs
