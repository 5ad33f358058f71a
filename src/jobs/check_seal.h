// The white-box half of a check: is the seal in the weights there, and does it hold?
#pragma once

#include <filesystem>

#include <modelseal/seal.h>

namespace modelseal::jobs {

Result<SealFinding> check_seal(const std::filesystem::path& model, const CheckOptions& options);

}  // namespace modelseal::jobs
