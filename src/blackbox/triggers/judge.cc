#include "blackbox/triggers/judge.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace modelseal::blackbox {
namespace {

constexpr Wording kTriggerWords = {"trigger", "all triggers are answered with their class",
                                   "are answered with another class"};

std::optional<double> floor_of_mixed(const Triggers& triggers) {
    const auto mixed = std::ranges::find(triggers.rungs, Rung::mixed, &RungOfTriggers::rung);
    return mixed == triggers.rungs.end() ? std::nullopt : std::optional(mixed->floor);
}

double chance_of_miss(const RungOfTriggers& rung, const Trigger& trigger) {
    return 0.5 * chance_of_crossing(trigger.margin, rung.scale, rung.floor);
}

enum class Fit { matches, misses, untold };

class TriggerReader {
  public:
    TriggerReader(const RungOfTriggers& rung, const Heard& heard) : rung_(rung), heard_(heard) {
        reading_.rung = rung.rung;
        reading_.finding.name = name_of(rung.rung);
        reading_.finding.noise = rung.noise;
        reading_.finding.floor = rung.floor;
        reading_.tried = rung.tried;
        reading_.steady = heard.jitter <= kSteadyShare * rung.floor;
        if (!reading_.steady) vary_ = kJitterFactor * heard.jitter;
    }

    RungReading read(const std::vector<Trigger>& triggers) && {
        for (std::size_t row = 0; row < triggers.size(); ++row) {
            if (triggers[row].margin >= rung_.floor) take(triggers[row], row);
        }
        return std::move(reading_);
    }

  private:
    void take(const Trigger& trigger, std::size_t row) {
        reading_.chances.push_back(chance_of_miss(rung_, trigger));
        const auto fit = heard_.outputs ? by_margin(trigger, row) : by_label(trigger, row);
        auto& finding = reading_.finding;
        finding.untold += fit == Fit::untold ? 1 : 0;
        finding.compared += fit == Fit::untold ? 0 : 1;
        finding.mismatched += fit == Fit::misses ? 1 : 0;
    }

    Fit by_label(const Trigger& trigger, std::size_t row) const {
        if (vary_ > 0) return Fit::untold;
        return heard_.labels[row] == trigger.label ? Fit::matches : Fit::misses;
    }

    Fit by_margin(const Trigger& trigger, std::size_t row) {
        const Boundary boundary{{}, static_cast<std::uint32_t>(trigger.label)};
        const auto scored = score(*heard_.outputs, row, boundary);
        const double noise = heard_.noisy ? score(*heard_.noisy, row, boundary).doubt : 0;
        const double doubt = scored.doubt + vary_;
        reading_.shifts.push_back(std::abs(scored.margin - trigger.margin));
        const bool matches = scored.margin > 0;
        const double least = matches ? doubt : std::max(doubt, noise) + heard_.stray;
        if (least > 0 && !(std::abs(scored.margin) > least)) return Fit::untold;
        return matches ? Fit::matches : Fit::misses;
    }

    const RungOfTriggers& rung_;
    const Heard& heard_;
    RungReading reading_;
    double vary_ = 0;  // margins may be off by so much because answers vary
};

FingerprintFinding::Triggers details_of(const Triggers& triggers, const Heard& heard) {
    FingerprintFinding::Triggers details{.count = triggers.triggers.size()};
    for (std::size_t row = 0; row < triggers.triggers.size(); ++row) {
        const auto& trigger = triggers.triggers[row];
        if (!heard.outputs) {
            details.matched += heard.labels[row] == trigger.label ? 1 : 0;
            continue;
        }
        const auto scored = score(*heard.outputs, row, {{}, static_cast<std::uint32_t>(trigger.label)});
        details.matched += scored.label == trigger.label ? 1 : 0;
        details.recorded.push_back(trigger.margin);
        details.answered.push_back(scored.margin);
    }
    return details;
}

}  // namespace

Threshold threshold_on(const Fingerprint& fingerprint, const RungOfTriggers& rung) {
    std::vector<double> chances;
    for (const auto& trigger : fingerprint.triggers().triggers) {
        if (trigger.margin >= rung.floor) chances.push_back(chance_of_miss(rung, trigger));
    }
    // Two rungs share the chance of a false alarm.
    return threshold_of(chances, kFalseAlarms / 2);
}

Result<FingerprintFinding> judge_triggers(const Fingerprint& fingerprint, const Replies& replies,
                                          std::optional<Rung> rung, const std::string& who) {
    const auto& triggers = fingerprint.triggers();
    MODELSEAL_TRY_ASSIGN(const auto heard,
                         hear(fingerprint, replies, triggers.triggers.size(), floor_of_mixed(triggers), who));
    std::vector<RungReading> readings;
    for (const auto& one : triggers.rungs) {
        readings.push_back(TriggerReader(one, heard).read(triggers.triggers));
    }
    auto finding = conclude(readings, std::nullopt, rung, replies, kTriggerWords);
    if (!finding) {
        return Error{ErrorKind::usage,
                     fmt::format("the fingerprint has no triggers on the rung '{}'", name_of(*rung)),
                     {}};
    }
    finding->access = name_of(fingerprint.access);
    finding->details = details_of(triggers, heard);
    return std::move(*finding);
}

}  // namespace modelseal::blackbox
