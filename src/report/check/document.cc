#include "report/check/document.h"

#include <algorithm>

#include <fmt/format.h>

#include "report/check/fingerprint_section.h"
#include "report/check/part.h"
#include "report/check/seal_section.h"
#include "report/policy.h"

namespace modelseal::report {
namespace {

using SignatureOutcome = SignatureFinding::Outcome;

std::string signer_text(const SignatureFinding& finding) {
    if (finding.signer.empty()) return {};
    auto out = fmt::format("signed by {} {}", finding.method, finding.signer);
    if (!finding.timestamp.empty()) out += ", before " + finding.timestamp;
    return out;
}

Section signature_section(const SignatureFinding& finding) {
    const bool valid = finding.outcome == SignatureOutcome::valid;
    const bool partial = finding.outcome == SignatureOutcome::partial;
    const bool verified = finding.outcome != SignatureOutcome::error;
    Section section{.kind = CheckKind::signature,
                    .tone = valid     ? Tone::good
                            : partial ? Tone::doubtful
                                      : Tone::bad,
                    .files = finding.findings,
                    .hint = finding.hint};
    if (verified) {
        section.verdict = fmt::format("signature {}, {}", word(finding.outcome), finding.detail);
    } else {
        section.verdict = "signature not verified";
        section.failure = finding.detail.empty() ? section.verdict : finding.detail;
        section.say(finding.detail);
    }
    if (finding.part) add_part(*finding.part, section);
    section.say(signer_text(finding));
    if (finding.unsigned_files > 0)
        section.say(counted(finding.unsigned_files, "unsigned file") + " ignored, as asked");
    section.fact("signed as", finding.model);
    section.fact("signed with", finding.method);
    if (verified) section.fact("files compared", grouped(finding.files));
    section.fact("timestamp", finding.timestamp);
    section.fact("signer", finding.signer, Tone::plain, Row::Face::code);
    section.fact("root of the files", finding.root, Tone::plain, Row::Face::code);
    return section;
}

Section missing_section(const MissingCheck& missing) {
    return {.kind = missing.kind,
            .tone = Tone::doubtful,
            .verdict = fmt::format("{} not checked, {}", word(missing.kind), missing.detail),
            .hint = missing.hint};
}

// Why a target could not be checked at all: no kind of check can report it.
Section failed_section(const CheckReport& report) {
    const auto why = report.error.empty() ? std::string("no reason given") : report.error;
    Section section{.tone = Tone::bad, .verdict = "not checked", .hint = report.hint, .failure = why};
    section.say(why);
    return section;
}

std::vector<Section> sections_of(const CheckReport& report) {
    std::vector<Section> sections;
    if (report.seal) sections.push_back(seal_section(*report.seal));
    if (report.signature) sections.push_back(signature_section(*report.signature));
    if (report.fingerprint) sections.push_back(fingerprint_section(*report.fingerprint, report.target));
    for (const auto& missing : report.missing) sections.push_back(missing_section(missing));
    if (sections.empty()) sections.push_back(failed_section(report));
    return sections;
}

// What a policy does, by which rule, and what does not hold.
Section policy_section(const Ruling& ruling) {
    Section section{.tone = report::tone_of(ruling.outcome),
                    .verdict = fmt::format("{} by {}", sentence(ruling.outcome), rule_text(ruling)),
                    .requirements = ruling.requirements};
    for (const auto& requirement : ruling.requirements) {
        if (!requirement.holds) section.say(requirement.found, requirement.what);
    }
    return section;
}

Tone tone_of(Verdict verdict) {
    if (verdict == Verdict::unsealed || verdict == Verdict::partial) return Tone::doubtful;
    return verdict == Verdict::intact ? Tone::good : Tone::bad;
}

std::string headline_of(const CheckReport& report) {
    using enum FingerprintFinding::Outcome;
    const auto is = [&](FingerprintFinding::Outcome outcome) {
        return report.fingerprint && report.fingerprint->outcome == outcome;
    };
    const auto* seal = report.seal ? &*report.seal : nullptr;
    switch (report.verdict) {
        case Verdict::intact:
            if (seal != nullptr && !seal->frame_intact) return "Weights intact";
            return is(other_runtime) ? "Intact, other runtime" : "Intact";
        case Verdict::tampered:
            return "Tampered";
        case Verdict::unexpected:
            return "Not the expected model";
        case Verdict::unsealed:
            return seal != nullptr && seal->outcome == SealFinding::Outcome::not_found
                       ? "No seal found"
                       : "Nothing to check against";
        case Verdict::partial:
            return "Checked in part";
        case Verdict::error:
            break;
    }
    return is(inconclusive) ? "Inconclusive" : "Not checked";
}

// A failure that is left out takes its hint with it, and so does the report's own hint if a failure decided.
std::vector<std::string> hints_of(const std::vector<Section>& sections, const CheckReport& report,
                                  Failures failures) {
    std::vector<std::string> hints;
    const auto add = [&](const std::string& hint) {
        if (!hint.empty() && std::ranges::count(hints, hint) == 0) hints.push_back(hint);
    };
    for (const auto& section : sections) add(section.hint);
    if (failures == Failures::listed || report.verdict != Verdict::error) add(report.hint);
    return hints;
}

}  // namespace

void Section::say(std::string sentence, std::string label) {
    if (!sentence.empty()) rows.push_back({.label = std::move(label), .value = std::move(sentence)});
}

void Section::fact(std::string label, std::string value, Tone of, Row::Face face) {
    if (value.empty()) return;
    rows.push_back({.label = std::move(label),
                    .value = std::move(value),
                    .tone = of,
                    .shown = Row::Shown::on_request,
                    .face = face});
}

Document document_of(const CheckReport& report, Failures failures) {
    Document document{.target = report.target,
                      .verdict = report.verdict,
                      .tone = tone_of(report.verdict),
                      .headline = headline_of(report),
                      .sections = sections_of(report),
                      .warnings = report.warnings};
    if (failures == Failures::left_out)
        std::erase_if(document.sections, [](const Section& section) { return !section.failure.empty(); });
    document.hints = hints_of(document.sections, report, failures);
    if (report.ruling) document.policy = policy_section(*report.ruling);
    return document;
}

std::vector<Error> failures_of(const CheckReport& report) {
    std::vector<Error> failures;
    for (auto& section : sections_of(report)) {
        // A model that cannot be opened fails every check with the same message.
        const bool known = std::ranges::count(failures, section.failure, &Error::message) > 0;
        if (!section.failure.empty() && !known)
            failures.push_back({report.error_kind, std::move(section.failure), std::move(section.hint)});
    }
    return failures;
}

}  // namespace modelseal::report
