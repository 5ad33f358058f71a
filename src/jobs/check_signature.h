// The signature next to a model, where signing tools leave it, and its verification as a part of a check.
#pragma once

#include <filesystem>
#include <optional>

#include "oms/digests.h"
#include <modelseal/oms.h>

namespace modelseal::jobs {

// NAME.sig, or model.sig: in a folder, or next to it or to a file, if it says that it is of this model (it may
// be of a neighbor).
std::optional<std::filesystem::path> signature_next_to(const std::filesystem::path& model);

// As verify_signature(); running out of memory is an Error, too. `shared` may be null.
Result<SignatureFinding> check_signature(const std::filesystem::path& model, const VerifyOptions& options,
                                         const oms::SharedFiles* shared);

}  // namespace modelseal::jobs
