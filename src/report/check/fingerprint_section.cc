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

// "148 of 150 pairs on rung fp32 differ (alarm at 1)", "none of 150 pairs on rung fp32 differs".
std::string pairs_text(const FingerprintFinding& finding) {
    const auto count = finding.mismatched;
    const auto rung = finding.rung.empty() ? std::string() : " on rung " + finding.rung;
    auto text =
        fmt::format("{} of {}{} {}", count == 0 ? "none" : grouped(count),
                    counted(finding.compared, unit_of(finding)), rung, count <= 1 ? "differs" : "differ");
    if (count > 0) text += fmt::format(" (alarm at {})", grouped(finding.threshold));
    return text;
}

std::string drift_text(const FingerprintFinding& finding) {
    const auto times = std::abs(finding.drift.value_or(0)) / finding.most_drift;
    return fmt::format("the margins of {} on rung {} moved together by {:.1e}, {:.1f} times the limit",
                       counted(finding.compared, unit_of(finding)), finding.rung,
                       std::abs(finding.drift.value_or(0)), times);
}

std::string shifts_text(const FingerprintFinding& finding) {
    const auto& shifts = *finding.shifts;
    return fmt::format(
        "the margins of {} of {} moved by more than {} times the noise of honest runtimes (alarm at {})",
        grouped(shifts.moved), counted(shifts.compared, unit_of(finding)), shifts.factor,
        grouped(shifts.threshold));
}

// What an alarm would have needed; empty if it is not known.
std::string headroom_text(const FingerprintFinding& finding) {
    if (!(finding.headroom >= 1)) return {};
    const auto tried = finding.runtimes_tried > 0
                           ? fmt::format("of {} that were", grouped(finding.runtimes_tried))
                           : std::string("that was");
    return fmt::format(
        "an alarm needs a {} runtime that rounds {:.0f} times as coarsely as the coarsest {} tried",
        finding.arithmetic == "mixed" ? "mixed-precision" : "float32", std::floor(finding.headroom), tried);
}

// What else than a changed model the alarm may come from; empty if nothing is known.
std::string innocent_text(const FingerprintFinding& finding) {
    using enum FingerprintFinding::Decision;
    if (finding.reduced_precision_possible) {
        const bool tells =
            std::ranges::count(finding.rungs, "mixed", &FingerprintFinding::RungFinding::name) > 0;
        return "or computed in less than float32: TF32, bfloat16 and half precision look like this; " +
               (tells ? fmt::format("all {}s on rung mixed agree", unit_of(finding))
                      : "the fingerprint has no rung mixed, which would tell");
    }
    if (finding.decided_by == drift && finding.mismatched == 0) {
        return fmt::format(
            "no {} differs: another algorithm for convolutions may do this, ask what runtime it is",
            unit_of(finding));
    }
    return {};
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
            return "tampered, " +
                   (finding.decided_by == FingerprintFinding::Decision::drift    ? drift_text(finding)
                    : finding.decided_by == FingerprintFinding::Decision::shifts ? shifts_text(finding)
                                                                                 : pairs_text(finding));
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
        return "the runtime is that of the fingerprint, as its text and a probe of its arithmetic show: each "
               "answer must be the "
               "one on record, to the last bit";
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
        if (finding.shifts) {
            section.fact("margins that moved",
                         fmt::format("{} of {} by more than {} times the noise of honest runtimes",
                                     grouped(finding.shifts->moved), grouped(finding.shifts->compared),
                                     finding.shifts->factor),
                         finding.decided_by == FingerprintFinding::Decision::shifts ? Tone::bad : Tone::plain);
        }
        if (finding.coverage) {
            section.fact("covers", coverage_text(finding.coverage->change, finding.coverage->noticed,
                                                 finding.coverage->weights));
        }
        section.fact("AccTri", accuracy_text(finding));
        section.fact("false alarms", finding.false_alarm_bound
                                         ? chance_text(*finding.false_alarm_bound) + " checks, in " +
                                               (finding.arithmetic == "mixed" ? "mixed precision" : "float32")
                                         : "not bounded");
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
    if (holds) section.say(headroom_text(finding));
    if (finding.outcome == tampered) {
        section.say(innocent_text(finding));
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
