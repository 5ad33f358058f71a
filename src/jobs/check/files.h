// The white-box half of a check: finds the seal in the weights and compares the model with it.
#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "mark/weight_scan.h"
#include "model/model.h"
#include <modelseal/keys.h>
#include <modelseal/oms.h>
#include <modelseal/progress.h>
#include <modelseal/report.h>

namespace modelseal::jobs {

struct SealSearch {
    // The first under which there is a seal counts; those come first under which it shows at first sight.
    std::span<const CheckKey> keys;
    bool all = false;  // list intact tensors as well
    mark::Pass pass = {};
    Progress* progress = nullptr;
};

// The finding, independent of what the caller expects, which policy::decide() takes into account. A mark of
// the deepisign scheme is a finding as well. The caller checks that the files did not change meanwhile.
Result<SealFinding> check_seal(const model::Model& model, const SealSearch& search);

// Verifies the signature of a model as a part of a check.

// As verify_model(); running out of memory is an Error, too.
Result<SignatureFinding> check_signature(const std::filesystem::path& model, const SignatureCheck& check,
                                         const VerifyOptions& options);

// Checks the seal and the signature of a model at the same time.

struct SealAndSignature {
    Result<SealFinding> seal;
    Result<SignatureFinding> signature;
};

// `path` is where `model` was opened. `search` has the threads for both; only the seal reports its progress.
SealAndSignature check_both(const std::filesystem::path& path, const model::Model& model,
                            const SealSearch& search, const SignatureCheck& signature);

}  // namespace modelseal::jobs
