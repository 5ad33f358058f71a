// From findings to a decision. Pure: no I/O, and findings are never changed, so that the same findings can be
// judged under another policy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <modelseal/check.h>
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::policy {

// The finding of each kind of check, or the Error that prevented it; absent if it was not made.
struct Findings {
    std::optional<Result<SealFinding>> seal;
    std::optional<Result<FingerprintFinding>> fingerprint;
    std::optional<Result<SignatureFinding>> signature;
    std::vector<MissingCheck> missing;  // why some were not made; counts only for kinds that are expected
};

struct Decision {
    // One kind of check, judged under the policy.
    struct Check {
        CheckKind kind = CheckKind::seal;
        bool expected = false;
        Verdict verdict = Verdict::error;
        ExitCode exit_code = ExitCode::failed;
        std::string detail;  // of the finding, of the error, or why the policy decided otherwise
        std::string hint;
        Remedy remedy = Remedy::none;
        SealFinding::Cause cause = SealFinding::Cause::none;  // of a seal that does not hold or is not expected
        std::vector<std::string> unexpected;                  // what of its stamp is not as expected
        std::optional<ErrorKind> error;                       // if the check could not be made
        std::optional<MissingCheck> missing;                  // if it was not made
    };
    Verdict verdict = Verdict::error;
    ExitCode exit_code = ExitCode::failed;
    std::vector<Check> checks;  // all that were made or expected
    // The check that the verdict rests on: the first of the worst. Null if all hold or nothing was expected.
    const Check* decisive() const;
};

Verdict verdict_of(const SealFinding& seal);
Verdict verdict_of(const FingerprintFinding& fingerprint);
Verdict verdict_of(const SignatureFinding& signature);

// What is wrong with an entry of the stamp, or empty. An entry counts only if the vendor signed it.
enum class Wanted { exactly, at_least };
std::string complaint_about(const SealFinding& seal, const std::string& name, const std::string& value,
                            Wanted wanted);

// The worst of what is expected counts: tampered, then unexpected, then could not be checked, then nothing found, then in part,
// then intact.
// If nothing is expected, nothing was proved: `unsealed`.
Decision decide(const Findings& findings, const CheckPolicy& policy);

// The findings with the outcomes of the decision, for people and machines to read.
CheckReport report_of(std::string target, const Findings& findings, const CheckPolicy& policy,
                      const Decision& decision);
// The report of a target that could not be checked at all.
CheckReport report_of(std::string target, const Error& error);

// The one place that turns errors and verdicts into exit codes.

ExitCode exit_code(ErrorKind kind);
ExitCode exit_code(Verdict verdict);

// The code of several checks or targets: a mismatch outweighs a failure, a failure outweighs a missing seal,
// and any of them outweighs success.
ExitCode worst(ExitCode a, ExitCode b);
Verdict worst(Verdict a, Verdict b);

}  // namespace modelseal::policy
