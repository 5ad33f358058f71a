// What a policy makes of a model, and why. JSON of `policy test` has the schema modelseal-policy/1; "policy" in the JSON of
// `check` is the same object.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "report/report.h"
#include "report/words.h"
#include <modelseal/report.h>

namespace modelseal::report {

std::string_view word(Ruling::Outcome outcome);  // "allow", "warn", "quarantine", "deny"
std::string_view sentence(
    Ruling::Outcome outcome);  // "allowed", "allowed with a warning", "quarantined", "denied"
Tone tone_of(Ruling::Outcome outcome);
std::string_view word(const Ruling::Requirement& requirement);  // "holds", "warns", "unknown", "fails"

// "rule 'acme/*' in line 12 of policy.toml"
std::string rule_text(const Ruling& ruling);

nlohmann::ordered_json ruling_json(const Ruling& ruling);

// Precondition of both: the report has a ruling.
std::string policy_text(const CheckReport& report, const TextStyle& style);
std::string policy_json(const CheckReport& report);

}  // namespace modelseal::report
