// A check of some tensors of a model, by the names that patterns match: nothing is read of the others.
#pragma once

#include <string>
#include <vector>

#include "jobs/check/files.h"
#include "model/model.h"
#include "policy/decide.h"
#include "policy/glob.h"
#include <modelseal/check.h>

namespace modelseal::jobs {

// ErrorKind::usage for a pattern that is none, and for options that need the complete model.
Result<std::vector<policy::Glob>> part_patterns(const std::string& target, const CheckOptions& options);

// What is found of the tensors by the seal and by the signature, if these are asked for. An Error for each if a pattern matches no
// tensor: nothing would be said of what it was meant for. Precondition: there are patterns.
void check_part(const model::Model& model, const SealSearch* seal, const SignatureCheck* signature,
                const std::vector<policy::Glob>& patterns, policy::Findings& found);

}  // namespace modelseal::jobs
