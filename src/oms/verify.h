// Verification for who reads the model at the same time, as a check of its seal does.
#pragma once

#include "oms/digests.h"
#include "oms/statement.h"
#include "oms/tree.h"
#include <modelseal/oms.h>

namespace modelseal::oms {

// As verify_signature(). `shared` may be null.
Result<SignatureFinding> verify(const std::filesystem::path& path, const VerifyOptions& options,
                                const SharedFiles* shared);

// What a signature says of itself, as anyone may have written it: nothing here was verified.
struct Claim {
    std::string subject;  // what the signer called the model
    bool bare_key = false;
    std::string key_hint;  // of a bare key; may be empty
};
// Nothing if it cannot be read.
std::optional<Claim> claim_of(const std::filesystem::path& signature);

// Whether the files are those of a statement that is believed.

// Fills in what was compared and every file that is not as signed. An Error only if a file could not be read.
// `shared` may be null.
Result<void> compare_files(const std::filesystem::path& path, const Statement& statement,
                           const VerifyOptions& options, const SharedFiles* shared, SignatureFinding& finding);

}  // namespace modelseal::oms
