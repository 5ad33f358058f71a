#include "report/fingerprint_words.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/words.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

using Outcome = FingerprintFinding::Outcome;

// The verdict rests on that all margins moved together, not on pairs that differ.
bool drift_decided(const FingerprintFinding& fingerprint) {
    return fingerprint.outcome == Outcome::tampered && fingerprint.mismatched < fingerprint.threshold &&
           fingerprint.drift.has_value();
}

}  // namespace

std::string_view word(Outcome outcome) {
    switch (outcome) {
        case Outcome::intact:
            return "intact";
        case Outcome::other_runtime:
            return "other-runtime";
        case Outcome::tampered:
            return "tampered";
        case Outcome::inconclusive:
            return "inconclusive";
        case Outcome::error:
            break;
    }
    return "error";
}

std::string pairs_text(const FingerprintFinding& fingerprint) {
    if (fingerprint.outcome == Outcome::inconclusive) return util::printable(fingerprint.detail);
    if (drift_decided(fingerprint)) {
        return fmt::format(
            "the margins of {} on rung {} moved together by {:.1e}, honest runtimes stay within {:.1e}",
            counted(fingerprint.pairs, "pair"), util::printable(fingerprint.rung), std::abs(*fingerprint.drift),
            fingerprint.most_drift);
    }
    const auto count = fingerprint.mismatched;
    const auto pairs = counted(fingerprint.pairs, "pair");
    std::vector<std::string> facts;
    if (!fingerprint.rung.empty()) facts.push_back("rung " + util::printable(fingerprint.rung));
    if (count > 0) facts.push_back("alarm at " + grouped(fingerprint.threshold));
    if (fingerprint.outcome != Outcome::tampered) {
        facts.push_back(fmt::format("false alarms: at most {:.1g} a check", fingerprint.false_alarm_bound));
    }
    return fmt::format("{} of {} {} ({})", count == 0 ? "none" : grouped(count), pairs,
                       count <= 1 ? "differs" : "differ", fmt::join(facts, "; "));
}

std::string gauge_text(const FingerprintFinding& fingerprint) {
    if (!fingerprint.shift || !std::isfinite(*fingerprint.shift)) return {};
    auto out = fmt::format("margins moved by {:.1e} (median)", *fingerprint.shift);
    const auto rung =
        std::ranges::find(fingerprint.rungs, fingerprint.rung, &FingerprintFinding::RungFinding::name);
    if (rung == fingerprint.rungs.end() || !(rung->noise > 0)) return out;
    const auto times = *fingerprint.shift / rung->noise;
    return out + fmt::format(", {:.{}f} times the largest noise on record", times, times < 9.95 ? 1 : 0);
}

std::string rungs_text(const FingerprintFinding& fingerprint) {
    std::vector<std::string> parts;
    bool worth = fingerprint.rungs.size() > 1;
    for (const auto& rung : fingerprint.rungs) {
        auto part = fmt::format("{} {} of {}", util::printable(rung.name), grouped(rung.mismatched),
                                grouped(rung.pairs));
        if (rung.untold > 0) part += fmt::format(" and {} untold", grouped(rung.untold));
        worth = worth || rung.untold > 0;
        parts.push_back(std::move(part));
    }
    return worth ? fmt::format("{}", fmt::join(parts, ", ")) : std::string();
}

std::string origin_text(const FingerprintFinding& fingerprint) {
    std::string out = "fingerprint";
    const auto say = [&](std::string_view before, const std::string& value) {
        if (!value.empty()) out += fmt::format("{}{}", before, util::printable(value));
    };
    say(" of ", fingerprint.model);
    say(" for ", fingerprint.customer);
    say(" by key ", fingerprint.vendor_key);
    return out == "fingerprint" ? std::string() : out;
}

std::string runtime_text(const FingerprintFinding& fingerprint) {
    if (fingerprint.outcome == Outcome::other_runtime) {
        return "another runtime answered than the one of the fingerprint: only pairs that are closer than "
               "honest runtimes agree differ";
    }
    if (fingerprint.outcome == Outcome::tampered && fingerprint.rung == "exact") {
        return "the runtime is that of the fingerprint: each answer must be the one on record, to the last bit";
    }
    return {};
}

}  // namespace modelseal::report
