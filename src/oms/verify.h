// Verification for who reads the model at the same time, as a check of its seal does.
#pragma once

#include "oms/digests.h"
#include <modelseal/oms.h>

namespace modelseal::oms {

// As verify_signature(). `shared` may be null.
Result<SignatureFinding> verify(const std::filesystem::path& path, const VerifyOptions& options,
                                const SharedFiles* shared);

// What the signer called the model, as anyone may have written it: nothing here was verified. Empty if it
// cannot be read.
std::string claimed_subject(const std::filesystem::path& signature);

}  // namespace modelseal::oms
