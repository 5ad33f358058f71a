#include "blackbox/verdict.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "oracle/precision.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

using Outcome = FingerprintFinding::Outcome;
using Decision = FingerprintFinding::Decision;

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

// The rung that has to clear the model.
const RungReading* find_decisive(std::span<const RungReading> readings, std::optional<Rung> asked) {
    const auto find = [&](Rung rung) -> const RungReading* {
        const auto at = std::ranges::find(readings, rung, &RungReading::rung);
        return at == readings.end() ? nullptr : &*at;
    };
    if (asked) return find(*asked);
    for (const auto rung : {Rung::fp32, Rung::mixed, Rung::exact}) {
        if (const auto* found = find(rung)) return found;
    }
    return nullptr;
}

// The conclusions from all rungs together.
class Judgment {
  public:
    Judgment(std::vector<RungReading>& readings, const std::optional<ShiftReading>& shifts,
             std::optional<Rung> asked, const Replies& replies, const Wording& words)
        : readings_(readings),
          shifts_(shifts && asked.value_or(Rung::fp32) != Rung::mixed ? &*shifts : nullptr),
          asked_(asked),
          replies_(replies),
          words_(words) {}

    // Null if the requested rung does not exist.
    std::optional<FingerprintFinding> reach() {
        bound_false_alarms();
        const auto* decisive = find_decisive(readings_, asked_);
        if (decisive == nullptr) return std::nullopt;
        const auto accuser = std::ranges::find_if(
            readings_, [&](const RungReading& one) { return counts(one) && one.accuses(); });
        if (accuser != readings_.end()) {
            rest_on(*accuser);
            finding_.outcome = Outcome::tampered;
            finding_.decided_by = finding_.mismatched < finding_.threshold ? Decision::drift
                                  : accuser->rung == Rung::exact           ? Decision::exact
                                                                           : Decision::flips;
            finding_.detail = accusation(*accuser);
            consider_precision(*accuser);
        } else if (rest_on(*decisive);
                   decisive->rung != Rung::mixed && shifts_ != nullptr && shifts_->accuses()) {
            finding_.outcome = Outcome::tampered;
            finding_.decided_by = Decision::shifts;
            finding_.detail = shifts_text(shifts_->strongest().moved);
            consider_precision(*decisive);
        } else if (decisive->clears() &&
                   (decisive->rung == Rung::mixed || shifts_ == nullptr || shifts_->clears())) {
            clear(*decisive);
        } else {
            finding_.outcome = Outcome::inconclusive;
            finding_.detail = doubt_about(*decisive);
            finding_.hint = way_out(*decisive);
            if (decisive->rung == Rung::fp32) finding_.remedy = Remedy::use_mixed_rung;
        }
        state_shifts();
        const bool covered = finding_.decided_by != Decision::drift && finding_.decided_by != Decision::exact;
        finding_.false_alarm_bound = covered ? std::optional(std::max(kFalseAlarms, bound_)) : std::nullopt;
        return std::move(finding_);
    }

  private:
    // Exact pairs are closer to the boundary than honest runtimes agree: on another runtime their mismatches
    // identify the runtime, and prove nothing about the model.
    bool counts(const RungReading& reading) const {
        if (reading.rung != Rung::exact) return !asked_ || reading.rung >= *asked_;
        return asked_.value_or(Rung::exact) == Rung::exact && replies_.same_runtime &&
               reading.finding.noise == 0;
    }

    // The rungs that count share the chance of a false alarm, each has its own threshold for its part.
    void bound_false_alarms() {
        const auto counted = std::ranges::count_if(
            readings_, [&](const RungReading& one) { return counts(one) && one.rung != Rung::exact; });
        bound_ = shifts_ == nullptr ? 0 : kShiftsPart * kFalseAlarms;
        const double share =
            share_of_rung(static_cast<std::size_t>(std::max<std::ptrdiff_t>(1, counted)), shifts_ != nullptr);
        for (auto& reading : readings_) {
            reading.threshold = threshold_of(reading.chances, share);
            if (counts(reading)) bound_ += reading.threshold.bound;
        }
    }

    void rest_on(const RungReading& reading) {
        finding_.rung = reading.finding.name;
        finding_.compared = reading.finding.compared;
        finding_.mismatched = reading.finding.mismatched;
        finding_.threshold = reading.threshold.mismatches;
        finding_.arithmetic = reading.rung == Rung::mixed ? "mixed" : "float32";
        finding_.headroom = reading.headroom;
        finding_.runtimes_tried = reading.tried.runtimes;
        finding_.evaluations_tried = reading.tried.evaluations;
        if (reading.shifts.empty()) return;
        finding_.shift = median(reading.shifts);
        finding_.drift = reading.drift;
        finding_.most_drift = reading.most_drift;
    }

    void clear(const RungReading& decisive) {
        const bool flips = std::ranges::any_of(readings_, [&](const RungReading& one) {
            return one.finding.mismatched > 0 && (one.rung != Rung::exact || replies_.local);
        });
        finding_.outcome = flips ? Outcome::other_runtime : Outcome::intact;
        finding_.detail =
            flips ? fmt::format(
                        "{} of {} differ, no more than another runtime may round; bit-identical "
                        "answers need the runtime of the fingerprint",
                        finding_.mismatched, util::counted(finding_.compared, words_.unit))
                  : fmt::format("{} ({})", words_.agree, util::counted(finding_.compared, words_.unit));
        if (decisive.rung == Rung::mixed) {
            finding_.detail += "; on the rung mixed, which finds larger changes only";
        }
    }

    std::string shifts_text(std::uint64_t moved) const {
        const auto& level = shifts_->strongest();
        return fmt::format(
            "the margins of {} of {} moved by more than {} times the noise of honest runtimes (alarm at {})",
            moved, util::counted(shifts_->compared, words_.unit), level.factor, level.threshold);
    }

    void state_shifts() {
        if (shifts_ == nullptr) return;
        const auto& level = shifts_->strongest();
        finding_.shifts = {.compared = shifts_->compared,
                           .factor = level.factor,
                           .moved = level.moved,
                           .threshold = level.threshold};
    }

    std::string accusation(const RungReading& accuser) const {
        if (finding_.decided_by == Decision::drift) {
            return fmt::format("the margins of all {}s moved together by {:.1e} on average (limit {:.1e})",
                               words_.unit, std::abs(accuser.drift), accuser.most_drift);
        }
        return fmt::format(
            "{} of {} {}{}", finding_.mismatched, util::counted(finding_.compared, words_.unit), words_.differ,
            accuser.rung == Rung::exact ? ", or differ in bits from earlier answers of the same runtime" : "");
    }

    // A service may compute in less than float32; a file is run here, where it is not. Only the rung mixed speaks against it.
    void consider_precision(const RungReading& accuser) {
        if (replies_.local || accuser.rung != Rung::fp32) return;
        const auto* mixed = find_decisive(readings_, Rung::mixed);
        if (mixed != nullptr && !mixed->clears()) return;
        finding_.reduced_precision_possible = true;
        if (mixed == nullptr) {
            finding_.hint = "let the service compute in float32; the fingerprint has nothing on the rung mixed";
            return;
        }
        finding_.hint =
            "if the service is meant to compute in less than float32, let the verdict rest on the rung mixed";
        finding_.remedy = Remedy::use_mixed_rung;
    }

    // Why the rung does not clear the model.
    std::string doubt_about(const RungReading& decisive) const {
        const auto& rung = decisive.finding;
        std::string why;
        if (decisive.rung == Rung::exact && rung.mismatched > 0) {
            why = fmt::format("{} of {} differ, as on any runtime other than that of the fingerprint",
                              rung.mismatched, util::counted(rung.compared, words_.unit));
        } else if (decisive.threshold.mismatches > decisive.asked()) {
            why = fmt::format("too few {}s for the recorded noise", words_.unit);
        } else if (decisive.clears()) {
            why =
                fmt::format("{}, and {}", shifts_text(shifts_->strongest().as_answered), coarseness(decisive));
        } else if (rung.untold > 0 || !decisive.steady) {
            why = fmt::format("{} of {} cannot be judged: {}", rung.untold,
                              util::counted(decisive.asked(), words_.unit), coarseness(decisive));
        } else {
            why = fmt::format("the mean of the margins moved by {:.1e}, more than {:.1e}, and {}",
                              std::abs(decisive.drift), decisive.most_drift, coarseness(decisive));
        }
        auto detail = fmt::format("the rung {} cannot show that the model is intact: {}", rung.name, why);
        const auto* mixed = find_decisive(readings_, Rung::mixed);
        if (mixed != nullptr && mixed != &decisive && mixed->clears()) {
            detail +=
                fmt::format("; the {}s on the rung mixed, which finds larger changes only, agree", words_.unit);
        }
        return detail;
    }

    std::string coarseness(const RungReading& decisive) const {
        if (replies_.answers.significand < oracle::kFloat32Bits) {
            return fmt::format("the answers have {} bits of precision, fewer than the {} of float32",
                               replies_.answers.significand, oracle::kFloat32Bits);
        }
        if (std::isinf(replies_.jitter)) return "the same inputs get different labels";
        if (!decisive.steady) return fmt::format("answers to the same input vary by {:.1e}", replies_.jitter);
        return replies_.answers.rounding > 0
                   ? fmt::format("the answers are rounded by up to {:.1e}", replies_.answers.rounding)
                   : "some answers show no margin";
    }

    std::string way_out(const RungReading& decisive) const {
        if (decisive.rung == Rung::exact) return "use the rung fp32, which works with any runtime in float32";
        if (decisive.rung == Rung::mixed) return "let the service give repeatable answers with all digits";
        return "let the service answer in float32 with all digits; if it computes in less, let the verdict "
               "rest "
               "on the rung mixed, which finds larger changes only";
    }

    std::vector<RungReading>& readings_;
    const ShiftReading* shifts_;  // null: none that count
    std::optional<Rung> asked_;
    const Replies& replies_;
    const Wording& words_;
    double bound_ = 0;  // of false alarms, by the model
    FingerprintFinding finding_;
};

}  // namespace

double share_of_rung(std::size_t rungs, bool shifts) {
    return (shifts ? 1 - kShiftsPart : 1) * kFalseAlarms / static_cast<double>(rungs);
}

double chance_of_crossing(double margin, double scale, double floor) {
    return std::exp(-std::abs(margin) / (kStranger * std::max(scale, 1e-12 * floor)));
}

// Independent flips with chances q: P(at least k) <= (sum q)^k / k!, and for k = 1 without independence.
Threshold threshold_of(std::span<const double> chances, double most) {
    const double sum = std::accumulate(chances.begin(), chances.end(), 0.0);
    Threshold threshold{.mismatches = 1, .bound = std::min(1.0, sum)};
    while (threshold.bound > most && threshold.mismatches <= chances.size()) {
        ++threshold.mismatches;
        threshold.bound *= sum / static_cast<double>(threshold.mismatches);
    }
    return threshold;
}

bool RungReading::accuses() const {
    const bool drifted = most_drift > 0 && std::abs(drift) > most_drift + slack;
    return finding.mismatched >= threshold.mismatches || drifted;
}

bool RungReading::clears() const {
    const bool drifted = most_drift > 0 && std::abs(drift) > most_drift;
    const bool decides = threshold.mismatches <= asked();
    return steady && decides && !drifted && finding.mismatched + finding.untold < threshold.mismatches;
}

bool ShiftReading::accuses() const {
    return std::ranges::any_of(levels, [](const Level& one) { return one.moved >= one.threshold; });
}

bool ShiftReading::clears() const {
    return std::ranges::all_of(levels, [](const Level& one) { return one.as_answered < one.threshold; });
}

const ShiftReading::Level& ShiftReading::strongest() const {
    const auto share = [](const Level& one) {
        return std::pair(static_cast<double>(one.moved) / static_cast<double>(one.threshold),
                         static_cast<double>(one.as_answered) / static_cast<double>(one.threshold));
    };
    return *std::ranges::max_element(levels, {}, share);
}

std::optional<FingerprintFinding> conclude(std::vector<RungReading>& readings,
                                           const std::optional<ShiftReading>& shifts, std::optional<Rung> asked,
                                           const Replies& replies, const Wording& words) {
    auto finding = Judgment(readings, shifts, asked, replies, words).reach();
    if (!finding) return finding;
    finding->rounding = oracle::largest_rounding(replies.answers);
    finding->jitter = replies.jitter;
    finding->queries = replies.queries;
    for (auto& reading : readings) finding->rungs.push_back(std::move(reading.finding));
    return finding;
}

}  // namespace modelseal::blackbox
