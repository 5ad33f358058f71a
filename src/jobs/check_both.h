// The seal and the signature of a model, checked in one reading of its files.
#pragma once

#include <filesystem>

#include "jobs/check_seal.h"
#include <modelseal/oms.h>

namespace modelseal::jobs {

struct SealAndSignature {
    Result<SealFinding> seal;
    Result<SignatureFinding> signature;
};

// `path` is where `model` was opened. `search` has the threads for both; only the seal reports its progress.
SealAndSignature check_both(const std::filesystem::path& path, Model& model, const SealSearch& search,
                            const VerifyOptions& signature);

}  // namespace modelseal::jobs
