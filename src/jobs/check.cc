#include <algorithm>
#include <new>

#include <fmt/format.h>

#include "jobs/check_fingerprint.h"
#include "jobs/check_seal.h"
#include "oracle/connect.h"
#include "report/fingerprint_words.h"

namespace modelseal {
namespace {

// Of two kinds of check on one model. A seal that is not there counts only if nothing else was checked.
Verdict worst(Verdict a, Verdict b) {
    constexpr Verdict kOrder[] = {Verdict::tampered, Verdict::error, Verdict::unsealed, Verdict::intact};
    return *std::ranges::find_if(kOrder, [=](Verdict each) { return each == a || each == b; });
}

// The fingerprint is of the model that the seal is in, unless it was made before there was a seal.
Result<void> same_model(const CheckReport& report, const jobs::OpenedFingerprint& opened) {
    if (!report.seal || report.seal->root.empty() || !opened.print.sealed ||
        report.seal->root == opened.print.root) {
        return {};
    }
    return Error{
        ErrorKind::mismatch,
        fmt::format("the fingerprint is of another model: it is bound to root {}, the seal here has {}",
                    opened.print.root, report.seal->root),
        "use the fingerprint that came with this model"};
}

// Runs what was asked for, in order, and leaves what it found in the report.
Result<void> examine(const std::string& target, const CheckOptions& options, CheckReport& report) {
    const bool readable = !oracle::is_endpoint(target) && !options.black_box && !options.responses;
    std::optional<jobs::OpenedFingerprint> opened;
    if (options.fingerprint) {
        MODELSEAL_TRY_ASSIGN(opened, jobs::open_fingerprint(options));
    }
    if (readable) {
        MODELSEAL_TRY_ASSIGN(report.seal, jobs::check_seal(target, options));
        report.verdict = report::verdict_of(*report.seal);
    } else if (!opened || options.require_seal) {
        report.verdict = Verdict::unsealed;
        report.error = !opened ? "its weights are not read, and there is no fingerprint to ask it about"
                               : "its weights are not read: no seal can be checked, and one is required";
        report.hint = !opened ? "give the fingerprint that the vendor made for you with --fingerprint FP" : "";
        return {};
    }
    if (!opened) {
        if (options.require_fingerprint) {
            report.verdict = worst(report.verdict, Verdict::unsealed);
            report.error = "a fingerprint is required, and there is none";
        }
        return {};
    }
    MODELSEAL_TRY(same_model(report, *opened));
    MODELSEAL_TRY_ASSIGN(report.fingerprint, jobs::check_fingerprint(target, *opened, options));
    const auto asked = report::verdict_of(*report.fingerprint);
    const bool no_seal = report.seal && report.seal->outcome == SealFinding::Outcome::not_found;
    report.verdict = !report.seal || (no_seal && !options.require_seal) ? asked : worst(report.verdict, asked);
    if (asked == Verdict::error) report.error = report.fingerprint->detail;
    return {};
}

}  // namespace

CheckReport check_model(const std::filesystem::path& target, const CheckOptions& options) {
    CheckReport report{.target = target.string()};
    const auto guarded = [&]() -> Result<void> {
        try {
            return examine(target.string(), options, report);
        } catch (const std::bad_alloc&) {
            return Error{ErrorKind::unreadable, target.string() + ": not enough memory to check it", {}};
        }
    };
    if (const auto done = guarded(); !done) {
        report.verdict = Verdict::error;
        report.error = done.error().message;
        report.hint = done.error().hint;
        report.error_kind = done.error().kind;
    }
    return report;
}

}  // namespace modelseal
