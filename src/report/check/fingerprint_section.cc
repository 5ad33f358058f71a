#include "report/check/fingerprint_section.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace modelseal::report {
namespace {

using FingerprintOutcome = FingerprintFinding::Outcome;

std::string_view unit_of(const FingerprintFinding& finding) {
    return std::holds_alternative<FingerprintFinding::Triggers>(finding.details) ? "trigger" : "pair";
}

// "148 of 150 pairs differ (rung fp32; alarm at 1)"; for what is not tampered with the bound: "none of 150 pairs
// differs (rung fp32; false alarms: at most 1 in 1 million checks)". What holds to the bit has no false alarms.
std::string pairs_text(const FingerprintFinding& finding) {
    const auto count = finding.mismatched;
    std::vector<std::string> facts;
    if (!finding.rung.empty()) facts.push_back("rung " + finding.rung);
    if (count > 0) facts.push_back("alarm at " + grouped(finding.threshold));
    if (finding.outcome != FingerprintOutcome::tampered && finding.false_alarm_bound > 0)
        facts.push_back(fmt::format("false alarms: {} checks", chance_text(finding.false_alarm_bound)));
    const auto more = facts.empty() ? std::string() : fmt::format(" ({})", fmt::join(facts, "; "));
    return fmt::format("{} of {} {}{}", count == 0 ? "none" : grouped(count),
                       counted(finding.compared, unit_of(finding)), count <= 1 ? "differs" : "differ", more);
}

std::string drift_text(const FingerprintFinding& finding) {
    return fmt::format(
        "the margins of {} on rung {} moved together by {:.1e}, honest runtimes stay within {:.1e}",
        counted(finding.compared, unit_of(finding)), finding.rung, std::abs(finding.drift.value_or(0)),
        finding.most_drift);
}

// "fingerprint of resnet20 for acme by key 1a2b3c"; what is not known is left out.
std::string origin_text(const FingerprintFinding& finding) {
    std::string out = "fingerprint";
    const auto say = [&](std::string_view before, const std::string& value) {
        if (!value.empty()) out += fmt::format("{}{}", before, value);
    };
    say(" of ", finding.model);
    say(" for ", finding.customer);
    say(" by key ", finding.vendor_key);
    return out == "fingerprint" ? std::string() : out;
}

std::string verdict_text(const FingerprintFinding& finding) {
    switch (finding.outcome) {
        case FingerprintOutcome::intact:
        case FingerprintOutcome::other_runtime: {
            const auto origin = origin_text(finding);
            return "intact, " + pairs_text(finding) + (origin.empty() ? "" : ", " + origin);
        }
        case FingerprintOutcome::tampered:
            return "tampered, " + (finding.drifted ? drift_text(finding) : pairs_text(finding));
        case FingerprintOutcome::inconclusive:
            return "inconclusive, " + finding.detail;
        case FingerprintOutcome::error:
            break;
    }
    return "fingerprint not checked";
}

// How far the margins moved, and of what size that is: "margins moved by 7.0e-04 (median), 17 times the largest
// noise on record"; empty if it is not known.
std::string gauge_text(const FingerprintFinding& finding) {
    if (!finding.shift || !std::isfinite(*finding.shift)) return {};
    auto out = fmt::format("margins moved by {:.1e} (median)", *finding.shift);
    const auto rung = std::ranges::find(finding.rungs, finding.rung, &FingerprintFinding::RungFinding::name);
    if (rung == finding.rungs.end() || !(rung->noise > 0)) return out;
    const auto times = *finding.shift / rung->noise;
    return out + fmt::format(", {:.{}f} times the largest noise on record", times, times < 9.95 ? 1 : 0);
}

// "exact 90 of 150, fp32 0 of 150 and 3 undecided"; empty with one rung and nothing undecided.
std::string rungs_text(const FingerprintFinding& finding) {
    std::vector<std::string> parts;
    bool worth = finding.rungs.size() > 1;
    for (const auto& rung : finding.rungs) {
        auto part = fmt::format("{} {} of {}", rung.name, grouped(rung.mismatched), grouped(rung.compared));
        if (rung.untold > 0) part += fmt::format(" and {} undecided", grouped(rung.untold));
        worth = worth || rung.untold > 0;
        parts.push_back(std::move(part));
    }
    return worth ? fmt::format("{}", fmt::join(parts, ", ")) : std::string();
}

// Why another runtime is no alarm, and why the same one may be held to the bit; empty for other outcomes.
std::string runtime_text(const FingerprintFinding& finding) {
    if (finding.outcome == FingerprintOutcome::other_runtime) {
        return "another runtime answered than the one of the fingerprint: only answers that are closer than "
               "honest runtimes agree differ";
    }
    if (finding.outcome == FingerprintOutcome::tampered && finding.rung == "exact") {
        return "the runtime is that of the fingerprint: each answer must be the one on record, to the last bit";
    }
    return {};
}

// Of triggers: the share that is answered with its class, as their paper measures it.
std::string accuracy_text(const FingerprintFinding& finding) {
    const auto* triggers = std::get_if<FingerprintFinding::Triggers>(&finding.details);
    if (triggers == nullptr || triggers->count == 0) return {};
    return fmt::format("{:.1f} % ({} of {})",
                       100 * static_cast<double>(triggers->matched) / static_cast<double>(triggers->count),
                       grouped(triggers->matched), grouped(triggers->count));
}

void add_facts(const FingerprintFinding& finding, Section& section) {
    const bool answered = finding.outcome != FingerprintOutcome::error;
    section.fact("model", finding.model);
    section.fact("customer", finding.customer);
    section.fact("method",
                 std::holds_alternative<FingerprintFinding::Triggers>(finding.details) ? "generator" : "");
    section.fact("access", finding.access);
    section.fact("rung", finding.rung);
    if (answered) {
        section.fact(fmt::format("{}s that differ", unit_of(finding)),
                     fmt::format("{} of {}", grouped(finding.mismatched), grouped(finding.compared)),
                     finding.outcome == FingerprintOutcome::tampered ? Tone::bad : Tone::plain);
        section.fact("AccTri", accuracy_text(finding));
        section.fact("false alarms", finding.false_alarm_bound > 0
                                         ? chance_text(finding.false_alarm_bound) + " checks"
                                         : "none on this runtime");
        section.fact("inputs sent", grouped(finding.queries));
    }
    section.fact("made", finding.created);
    section.fact("expires", finding.expires);
    section.fact("vendor key", finding.vendor_key, Tone::plain, Row::Face::code);
    section.fact("fingerprint id", finding.id, Tone::plain, Row::Face::code);
    section.fact("bound to root", finding.root, Tone::plain, Row::Face::code);
}

}  // namespace

std::string rung_text(const FingerprintFinding& finding, const FingerprintFinding::RungFinding& rung) {
    auto text = fmt::format("{}: {} of {} differ", rung.name, grouped(rung.mismatched),
                            counted(rung.compared, unit_of(finding)));
    if (rung.untold > 0) text += fmt::format(", {} undecided", grouped(rung.untold));
    return text + fmt::format("; noise {:.1e}, floor {:.1e}", rung.noise, rung.floor);
}

Section fingerprint_section(const FingerprintFinding& finding, const std::string& target) {
    using enum FingerprintFinding::Outcome;
    Section section{.kind = CheckKind::fingerprint, .verdict = verdict_text(finding), .hint = finding.hint};
    const bool holds = finding.outcome == intact || finding.outcome == other_runtime;
    section.tone = holds ? Tone::good : Tone::bad;
    if (finding.outcome == error) {
        section.failure = finding.detail.empty() ? section.verdict : finding.detail;
        section.say(finding.detail);
        add_facts(finding, section);
        return section;
    }
    // Answers that allow no verdict are about the target; no message of another room names it.
    if (finding.outcome == inconclusive) section.failure = target + ": " + section.verdict;
    section.drawn = &finding;
    section.say(runtime_text(finding));
    if (finding.outcome == tampered) {
        section.say(gauge_text(finding));
    } else {
        section.fact("moved", gauge_text(finding));
    }
    const auto differing = fmt::format("differing {}s", unit_of(finding));
    if (finding.outcome == intact) {
        section.fact(differing, rungs_text(finding));
    } else {
        section.say(rungs_text(finding), differing);
    }
    if (!holds) section.say(origin_text(finding));
    add_facts(finding, section);
    return section;
}

}  // namespace modelseal::report
