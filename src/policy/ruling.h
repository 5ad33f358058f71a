// What a rule of a policy makes of what was found. Pure: no I/O; findings are never changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/rules.h"
#include <modelseal/check.h>
#include <modelseal/report.h>

namespace modelseal::policy {

// What a configuration in the model's folder pulls in when the model is loaded.
struct Reference {
    std::string what;      // "base model", "remote code"
    std::string name;      // as it is written
    std::string named_by;  // file and key
    bool inside = false;   // it is a part of the model, and stays in its folder
};

// An adapter that lies next to a model and is not a part of it, checked by itself.
struct Adapter {
    std::string file;
    Verdict verdict = Verdict::error;
    std::string detail;
};

// About a model, beside the findings of the check.
struct Facts {
    std::uint64_t bytes = 0;
    bool too_late = false;  // the check did not end within the time of the rule
    std::vector<Reference> references;
    std::vector<Adapter> adapters;
    std::optional<Error> unknown;  // why references and adapters could not be found out
};

// What check_model() is asked to expect.
CheckPolicy expectations_of(const Rule& rule);

// `report` was decided under expectations_of(rule). `vendors`: of the policy that the rule is in. Leaves policy and name
// of the result to the caller.
Ruling rule_on(const Rule& rule, const std::vector<Vendor>& vendors, const CheckReport& report,
               const Facts& facts);

// A file that is no model.
Ruling rule_on_unknown(const Rule& rule, const std::string& why);

// 0 for what is let through; 3 for what is not, only because it could not be checked; else 1.
ExitCode exit_code(const Ruling& ruling);

}  // namespace modelseal::policy
