// Verification for callers that read the model at the same time, such as a check of its seal.
#pragma once

#include "oms/digests.h"
#include "oms/statement.h"
#include "oms/tree.h"
#include <modelseal/oms.h>

namespace modelseal::oms {

// As verify_model(). `shared` may be null.
Result<SignatureFinding> verify(const std::filesystem::path& path, const VerifyOptions& options,
                                const SharedFiles* shared);

// The claims of a signature, which anybody can have written: nothing here was verified.
struct Claim {
    std::string subject;  // the signer's name for the model
    bool bare_key = false;
    std::string key_hint;  // of a bare key; may be empty
};
// Nullopt if it cannot be read.
std::optional<Claim> claim_of(const std::filesystem::path& signature);

// Compares files with an authenticated statement.

// Records what was compared and every file that is not as signed. An Error only if a file could not be read.
// `shared` may be null.
Result<void> compare_files(const std::filesystem::path& path, const Statement& statement,
                           const VerifyOptions& options, const SharedFiles* shared, SignatureFinding& finding);

}  // namespace modelseal::oms
