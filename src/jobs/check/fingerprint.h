// The black-box half of a check: compares the answers of a model with a fingerprint.
#pragma once

#include <string>

#include "blackbox/fingerprint.h"
#include "model/model.h"
#include <modelseal/check.h>

namespace modelseal::jobs {

// A fingerprint that one of the keys opened.
struct OpenedFingerprint {
    blackbox::Fingerprint print;
    std::string id, vendor_key;
};

// Refuses a fingerprint that is not valid, not for one of the keys, or expired. Sends no query. Precondition: there is a
// key.
Result<OpenedFingerprint> open_fingerprint(const FingerprintCheck& check);

// Queries `target` (a file or an endpoint; none if there are responses) and judges the answers. `model`: the
// file, opened; null for the others. Precondition: the options ask for a fingerprint.
Result<FingerprintFinding> check_fingerprint(const std::string& target, const model::Model* model,
                                             const OpenedFingerprint& opened, const CheckOptions& options);

}  // namespace modelseal::jobs
