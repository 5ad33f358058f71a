#include "policy/decide.h"

#include <algorithm>
#include <array>
#include <compare>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "policy/version.h"

namespace modelseal::policy {
namespace {

using Check = Decision::Check;

Check settled(CheckKind kind, Verdict verdict, std::string detail, std::string hint = {},
              Remedy remedy = Remedy::none) {
    return {.kind = kind,
            .verdict = verdict,
            .exit_code = exit_code(verdict),
            .detail = std::move(detail),
            .hint = std::move(hint),
            .remedy = remedy};
}

// A key, a signature or a fingerprint that does not match is an error with the exit code of a mismatch.
Check failed(CheckKind kind, const Error& error) {
    return {.kind = kind,
            .verdict = Verdict::error,
            .exit_code = exit_code(error.kind),
            .detail = error.message,
            .hint = error.hint,
            .remedy = error.remedy,
            .error = error.kind};
}

// An omitted check counts as not found, which never outweighs the check that prevented it.
Check not_made(CheckKind kind, const std::vector<MissingCheck>& known) {
    const auto why = std::ranges::find(known, kind, &MissingCheck::kind);
    auto missing = why == known.end() ? MissingCheck{.kind = kind, .detail = "it was not checked"} : *why;
    auto check = settled(kind, Verdict::unsealed, missing.detail, missing.hint, missing.remedy);
    check.missing = std::move(missing);
    return check;
}

// The entries of the stamp that are not as expected.
std::vector<std::string> stamp_complaints(const SealFinding& seal, const CheckPolicy& policy) {
    std::vector<std::string> complaints;
    const auto compare = [&](const auto& entries, Wanted wanted) {
        for (const auto& [name, value] : entries) {
            if (auto complaint = complaint_about(seal, name, value, wanted); !complaint.empty())
                complaints.push_back(std::move(complaint));
        }
    };
    compare(policy.stamp, Wanted::exactly);
    compare(policy.minimum, Wanted::at_least);
    return complaints;
}

Check judged(const SealFinding& seal, const CheckPolicy& policy) {
    const auto verdict = verdict_of(seal);
    const bool found =
        verdict == Verdict::intact || verdict == Verdict::tampered || verdict == Verdict::partial;
    if (!found) return settled(CheckKind::seal, verdict, seal.detail, seal.hint, seal.remedy);
    if (seal.scheme == "deepisign" && policy.scheme != Scheme::deepisign) {
        return settled(CheckKind::seal, Verdict::unsealed,
                       "no seal under this key; a deepisign mark was found, which does not prove the weights "
                       "and is not accepted",
                       "accept marks of the deepisign scheme", Remedy::accept_deepisign);
    }
    auto unexpected = stamp_complaints(seal, policy);
    const bool part = verdict == Verdict::partial;
    const bool holds = verdict == Verdict::intact || (policy.weights_only && seal.weights_intact && !part);
    const bool passes = holds || part;
    auto check =
        settled(CheckKind::seal, holds ? Verdict::intact : verdict, seal.detail, seal.hint, seal.remedy);
    check.cause = seal.cause;
    // What changed comes first: its stamp is beside the point.
    if (passes && !unexpected.empty()) {
        check = settled(CheckKind::seal, seal.stamp_authentic ? Verdict::unexpected : Verdict::tampered,
                        fmt::format("{}", fmt::join(unexpected, "; ")));
        check.cause = SealFinding::Cause::stamp;
    }
    check.unexpected = std::move(unexpected);
    return check;
}

Check judged(const FingerprintFinding& fingerprint, const CheckPolicy&) {
    return settled(CheckKind::fingerprint, verdict_of(fingerprint), fingerprint.detail, fingerprint.hint,
                   fingerprint.remedy);
}

Check judged(const SignatureFinding& signature, const CheckPolicy&) {
    return settled(CheckKind::signature, verdict_of(signature), signature.detail);
}

template <class Finding>
Check check_of(CheckKind kind, const std::optional<Result<Finding>>& found, const Findings& findings,
               const CheckPolicy& policy) {
    if (!found) return not_made(kind, findings.missing);
    return found->ok() ? judged(**found, policy) : failed(kind, found->error());
}

// The finding as it is shown: with the outcome that the check came to.
SealFinding shown(SealFinding seal, const Check& check) {
    using Outcome = SealFinding::Outcome;
    seal.outcome = check.verdict == Verdict::intact       ? Outcome::intact
                   : check.verdict == Verdict::tampered   ? Outcome::tampered
                   : check.verdict == Verdict::unexpected ? Outcome::unexpected
                   : check.verdict == Verdict::unsealed   ? Outcome::not_found
                   : check.verdict == Verdict::partial    ? Outcome::partial
                                                          : Outcome::error;
    seal.detail = check.detail;
    seal.hint = check.hint;
    seal.remedy = check.remedy;
    seal.cause = check.cause;
    seal.unexpected = check.unexpected;
    return seal;
}

const FingerprintFinding& shown(const FingerprintFinding& fingerprint, const Check&) {
    return fingerprint;
}
const SignatureFinding& shown(const SignatureFinding& signature, const Check&) {
    return signature;
}

template <class Finding>
std::optional<Finding> shown(const std::optional<Result<Finding>>& found, const Check& check) {
    if (!found) return std::nullopt;
    if (found->ok()) return shown(**found, check);
    return Finding{
        .outcome = Finding::Outcome::error, .detail = check.detail, .hint = check.hint, .remedy = check.remedy};
}

}  // namespace

std::string complaint_about(const SealFinding& seal, const std::string& name, const std::string& value,
                            Wanted wanted) {
    const auto found = std::ranges::find(seal.stamp, name, [](const auto& entry) { return entry.first; });
    const bool exactly = wanted == Wanted::exactly;
    if (found == seal.stamp.end()) {
        return fmt::format("the stamp has no '{}', {}'{}' is expected", name, exactly ? "" : "at least ",
                           value);
    }
    const auto order = compare_versions(found->second, value);
    if (exactly && found->second != value)
        return fmt::format("{} in the stamp is '{}', '{}' is expected", name, found->second, value);
    if (!exactly && !order)
        return fmt::format("{} in the stamp is '{}', which is no version: at least '{}' is expected", name,
                           found->second, value);
    if (!exactly && std::is_lt(*order)) {
        return fmt::format(
            "{} in the stamp is '{}', at least '{}' is expected: an earlier release was put back", name,
            found->second, value);
    }
    if (seal.stamp_authentic) return {};
    return fmt::format("{} in the stamp is '{}', but the stamp has no valid signature", name, found->second);
}

Verdict verdict_of(const SealFinding& seal) {
    switch (seal.outcome) {
        case SealFinding::Outcome::intact:
            return Verdict::intact;
        case SealFinding::Outcome::tampered:
            return Verdict::tampered;
        case SealFinding::Outcome::unexpected:
            return Verdict::unexpected;
        case SealFinding::Outcome::not_found:
            return Verdict::unsealed;
        case SealFinding::Outcome::partial:
            return Verdict::partial;
        case SealFinding::Outcome::error:
            break;
    }
    return Verdict::error;
}

Verdict verdict_of(const FingerprintFinding& fingerprint) {
    using Outcome = FingerprintFinding::Outcome;
    const auto outcome = fingerprint.outcome;
    if (outcome == Outcome::intact || outcome == Outcome::other_runtime) return Verdict::intact;
    return outcome == Outcome::tampered ? Verdict::tampered : Verdict::error;
}

Verdict verdict_of(const SignatureFinding& signature) {
    switch (signature.outcome) {
        case SignatureFinding::Outcome::valid:
            return Verdict::intact;
        case SignatureFinding::Outcome::invalid:
            return Verdict::tampered;
        case SignatureFinding::Outcome::partial:
            return Verdict::partial;
        case SignatureFinding::Outcome::error:
            break;
    }
    return Verdict::error;
}

const Check* Decision::decisive() const {
    const auto first = std::ranges::find_if(checks, [&](const Check& check) {
        const bool counts = check.verdict != Verdict::partial || verdict == Verdict::partial;
        return check.expected && counts && check.exit_code == exit_code && check.exit_code != ExitCode::done;
    });
    return first == checks.end() ? nullptr : &*first;
}

Decision decide(const Findings& findings, const CheckPolicy& policy) {
    Decision decision;
    const auto add = [&](CheckKind kind, bool expected, const auto& found) {
        if (!found && !expected) return;
        decision.checks.push_back(check_of(kind, found, findings, policy));
        decision.checks.back().expected = expected;
    };
    add(CheckKind::seal, policy.expected.seal, findings.seal);
    add(CheckKind::fingerprint, policy.expected.fingerprint, findings.fingerprint);
    add(CheckKind::signature, policy.expected.signature, findings.signature);
    std::optional<Verdict> verdict;
    auto code = ExitCode::done;
    for (const auto& check : decision.checks) {
        if (!check.expected) continue;
        verdict = worst(verdict.value_or(Verdict::intact), check.verdict);
        // A part that holds outweighs nothing but what holds completely.
        if (check.verdict != Verdict::partial) code = worst(code, check.exit_code);
    }
    if (verdict == Verdict::partial) code = exit_code(Verdict::partial);
    decision.verdict = verdict.value_or(Verdict::unsealed);
    decision.exit_code = verdict ? code : ExitCode::nothing;
    return decision;
}

CheckReport report_of(std::string target, const Findings& findings, const CheckPolicy& policy,
                      const Decision& decision) {
    CheckReport report{.target = std::move(target),
                       .verdict = decision.verdict,
                       .exit_code = decision.exit_code,
                       .expected = policy.expected};
    for (const auto& check : decision.checks) {
        if (check.missing) report.missing.push_back(*check.missing);
        if (check.kind == CheckKind::seal) report.seal = shown(findings.seal, check);
        if (check.kind == CheckKind::fingerprint) report.fingerprint = shown(findings.fingerprint, check);
        if (check.kind == CheckKind::signature) report.signature = shown(findings.signature, check);
    }
    if (const auto* decisive = decision.decisive()) {
        if (decisive->verdict == Verdict::error || decisive->missing) report.error = decisive->detail;
        report.hint = decisive->hint;
        report.remedy = decisive->remedy;
        report.error_kind = decisive->error.value_or(ErrorKind::unreadable);
    } else if (decision.verdict == Verdict::unsealed) {
        report.error = "nothing to check it against: no key, signer or fingerprint was given";
    }
    return report;
}

CheckReport report_of(std::string target, const Error& error) {
    return {.target = std::move(target),
            .verdict = Verdict::error,
            .exit_code = exit_code(error.kind),
            .error = error.message,
            .hint = error.hint,
            .remedy = error.remedy,
            .error_kind = error.kind};
}

namespace {

// The one of the two that comes first in `order`.
template <class T, std::size_t N>
T first_of(const std::array<T, N>& order, T a, T b) {
    return *std::ranges::find_if(order, [=](T each) { return each == a || each == b; });
}

}  // namespace

ExitCode exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return ExitCode::usage;
        case ErrorKind::mismatch:
            return ExitCode::mismatch;
        case ErrorKind::unreadable:
        case ErrorKind::malformed:
        case ErrorKind::unsupported:
        case ErrorKind::internal:
            break;
    }
    return ExitCode::failed;
}

ExitCode exit_code(Verdict verdict) {
    switch (verdict) {
        case Verdict::intact:
            return ExitCode::done;
        case Verdict::tampered:
        case Verdict::unexpected:
            return ExitCode::mismatch;
        case Verdict::unsealed:
            return ExitCode::nothing;
        case Verdict::error:
        case Verdict::partial:  // the rest could not be judged
            break;
    }
    return ExitCode::failed;
}

ExitCode worst(ExitCode a, ExitCode b) {
    constexpr std::array kOrder = {ExitCode::usage, ExitCode::mismatch, ExitCode::failed, ExitCode::nothing,
                                   ExitCode::done};
    return first_of(kOrder, a, b);
}

Verdict worst(Verdict a, Verdict b) {
    constexpr std::array kOrder = {Verdict::tampered, Verdict::unexpected, Verdict::error,
                                   Verdict::unsealed, Verdict::partial,    Verdict::intact};
    return first_of(kOrder, a, b);
}

}  // namespace modelseal::policy
