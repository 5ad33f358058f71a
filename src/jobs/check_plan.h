// What is done in a check and what is expected of it, decided once, before anything is read or asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/decide.h"
#include <modelseal/oms.h>
#include <modelseal/seal.h>

namespace modelseal::jobs {

struct CheckRequest {
    // Who answers the inputs of a fingerprint.
    enum class Answerer {
        sealed_file,  // the file that is read, run here once its seal was found intact
        any_file,     // a file that is not read, run here
        elsewhere,    // an endpoint, or somebody whose answers are at hand
    };
    Answerer answerer = Answerer::sealed_file;
    bool seal = false;                       // look for one in the weights
    bool fingerprint = false;                // put its inputs to the answerer
    std::optional<VerifyOptions> signature;  // verify this one
    policy::Policy policy;                   // what is expected
    std::vector<MissingCheck> missing;       // expected, and nothing to do for it
    std::vector<std::string> warnings;

    bool opens_model() const { return seal || (fingerprint && answerer != Answerer::elsewhere); }
};

// ErrorKind::usage for options that contradict one another.
Result<CheckRequest> plan_check(const std::string& target, const CheckOptions& options);

}  // namespace modelseal::jobs
