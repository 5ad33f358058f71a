// The black-box half of a check: is the model that answers still the one that the fingerprint was made of?
#pragma once

#include <string>

#include "fingerprint/fingerprint.h"
#include "model/model.h"
#include <modelseal/seal.h>

namespace modelseal::jobs {

// A fingerprint that one of the keys opened.
struct OpenedFingerprint {
    fingerprint::Fingerprint print;
    std::string id, vendor_key;
};

// Refuses whatever is not valid, not for one of the keys, or expired. Asks nobody anything.
Result<OpenedFingerprint> open_fingerprint(const CheckOptions& options);

// Asks `target` (a file, an endpoint, or nobody where there are responses) and judges the answers. `model`: the
// file, opened; null for the others.
Result<FingerprintFinding> check_fingerprint(const std::string& target, const model::Model* model,
                                             const OpenedFingerprint& opened, const CheckOptions& options);

}  // namespace modelseal::jobs
