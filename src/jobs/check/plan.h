// What a check does and what it expects, decided once, before anything is read or queried.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/decide.h"
#include "policy/glob.h"
#include <modelseal/check.h>
#include <modelseal/oms.h>

namespace modelseal::jobs {

struct CheckRequest {
    // What answers the inputs of a fingerprint.
    enum class Answerer {
        sealed_file,  // the file whose weights are read; run here after its seal was found intact
        any_file,     // a file that is not read, run here
        elsewhere,    // an endpoint, or answers made elsewhere
    };
    Answerer answerer = Answerer::sealed_file;
    bool seal = false;                        // look for one in the weights
    bool fingerprint = false;                 // send its inputs
    std::optional<SignatureCheck> signature;  // verify this one
    CheckPolicy policy;                       // what is expected
    std::vector<MissingCheck> missing;        // expected, but nothing can be checked
    std::vector<std::string> warnings;

    std::vector<policy::Glob> tensors;  // only these are looked at; empty: all

    bool opens_model() const {
        return seal || !tensors.empty() || (fingerprint && answerer != Answerer::elsewhere);
    }
};

// ErrorKind::usage for options that contradict each other, and for a target that oracle::check_target() refuses.
Result<CheckRequest> plan_check(const std::string& target, const CheckOptions& options);

}  // namespace modelseal::jobs
