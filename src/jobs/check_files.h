// What a check reads the files for: the seal in the weights, and a signature beside them.
#pragma once

#include <filesystem>
#include <optional>

#include <modelseal/seal.h>

namespace modelseal::jobs {

struct FilesFinding {
    // Absent if it was not asked for, or could not be told: an Error then says why.
    std::optional<SealFinding> seal;
    std::optional<SignatureFinding> signature;
    Result<void> seal_told, signature_told;
};

// Looks for a seal if there are keys, and verifies `signature` if it is there: both in one reading of the
// files.
FilesFinding check_files(const std::filesystem::path& model, const CheckOptions& options,
                         const std::optional<VerifyOptions>& signature);

}  // namespace modelseal::jobs
