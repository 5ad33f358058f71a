// The rules of a SARIF log: one for each kind of finding and of failure.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal::report {

struct SarifRule {
    std::string_view id, name, text, level;
};

// The index of a rule in kSarifRules.
enum RuleIndex : std::size_t {
    tensor_changed,
    tensor_missing,
    tensor_added,
    frame_changed,
    seal_broken,
    seal_not_found,
    fingerprint_mismatch,
    fingerprint_other_runtime,
    signature_invalid,
    file_not_as_signed,
    stamp_unexpected,
    policy_failed,
    seal_forged,
    fingerprint_not_found,
    fingerprint_inconclusive,
    signature_not_found,
    evidence_mismatch,
    target_unreadable,
    target_malformed,
    target_unsupported,
    check_failed,
    partially_checked,
};

extern const std::array<SarifRule, partially_checked + 1> kSarifRules;

// Of what could not be checked.
RuleIndex sarif_rule_of(ErrorKind kind);

}  // namespace modelseal::report
