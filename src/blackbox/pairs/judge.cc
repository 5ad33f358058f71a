
#include "blackbox/pairs/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "blackbox/challenge.h"
#include "blackbox/pairs/margin.h"
#include "blackbox/pairs/rung_reading.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

using Outcome = FingerprintFinding::Outcome;

// Error of a runtime that computes in less than float32: the recorded one for half precision, whose
// significand has 11 bits, doubled for each bit less. Unknown without that rung.
double stray_of(const Fingerprint& fingerprint, unsigned significand) {
    if (significand >= oracle::kFloat32Bits) return 0;
    const auto mixed = std::ranges::find(fingerprint.rungs, Rung::mixed, &RungOfPairs::rung);
    if (mixed == fingerprint.rungs.end()) return std::numeric_limits<double>::infinity();
    const auto missing = static_cast<int>(oracle::kHalfBits) - static_cast<int>(significand);
    return std::ldexp(mixed->floor, std::max(0, missing));
}

// Noise on probabilities leaves no distributions, whose logarithms would be margins; as logits they mean
// nothing.
bool are_noisy_probabilities(const Outputs& outputs, double jitter) {
    return !outputs.probabilities && outputs.about_probabilities && jitter > 0;
}

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
    Judgment(std::vector<RungReading>& readings, std::optional<Rung> asked, const Replies& replies)
        : readings_(readings), asked_(asked), replies_(replies) {}

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
            finding_.drifted = finding_.mismatched < finding_.threshold;
            finding_.detail = accusation(*accuser);
        } else if (rest_on(*decisive); decisive->clears()) {
            clear(*decisive);
        } else {
            finding_.outcome = Outcome::inconclusive;
            finding_.detail = doubt_about(*decisive);
            finding_.hint = way_out(*decisive);
            if (decisive->rung == Rung::fp32) finding_.remedy = Remedy::use_mixed_rung;
        }
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
        const double share = kFalseAlarms / static_cast<double>(std::max<std::ptrdiff_t>(1, counted));
        for (auto& reading : readings_) {
            reading.threshold = threshold_of(reading.chances, share);
            if (counts(reading)) finding_.false_alarm_bound += reading.threshold.bound;
        }
    }

    void rest_on(const RungReading& reading) {
        finding_.rung = reading.finding.name;
        finding_.pairs = reading.finding.pairs;
        finding_.mismatched = reading.finding.mismatched;
        finding_.threshold = reading.threshold.mismatches;
        if (reading.shifts.empty()) return;
        finding_.shift = median(reading.shifts);
        finding_.drift = reading.drift;
        finding_.most_drift = reading.most_drift;
    }

    void clear(const RungReading& decisive) {
        const bool flips =
            std::ranges::any_of(readings_, [](const RungReading& one) { return one.finding.mismatched > 0; });
        finding_.outcome = flips ? Outcome::other_runtime : Outcome::intact;
        finding_.detail = flips ? fmt::format(
                                      "{} of {} differ, no more than another runtime may round; bit-identical "
                                      "answers need the runtime of the fingerprint",
                                      finding_.mismatched, util::counted(finding_.pairs, "pair"))
                                : fmt::format("all answers are on their side of the boundary ({})",
                                              util::counted(finding_.pairs, "pair"));
        if (decisive.rung == Rung::mixed) {
            finding_.detail += "; on the rung mixed, which finds larger changes only";
        }
    }

    std::string accusation(const RungReading& accuser) const {
        if (finding_.drifted) {
            return fmt::format("the margins of all pairs moved together by {:.1e} on average (limit {:.1e})",
                               std::abs(accuser.drift), accuser.most_drift);
        }
        return fmt::format(
            "{} of {} crossed the boundary or moved as far{}", finding_.mismatched,
            util::counted(finding_.pairs, "pair"),
            accuser.rung == Rung::exact ? ", or differ in bits from earlier answers of the same runtime" : "");
    }

    // Why the rung does not clear the model.
    std::string doubt_about(const RungReading& decisive) const {
        const auto& rung = decisive.finding;
        std::string why;
        if (decisive.rung == Rung::exact && rung.mismatched > 0) {
            why = fmt::format("{} of {} differ, as on any runtime other than that of the fingerprint",
                              rung.mismatched, util::counted(rung.pairs, "pair"));
        } else if (decisive.threshold.mismatches > decisive.asked()) {
            why = "too few pairs for the recorded noise";
        } else if (rung.untold > 0 || !decisive.steady) {
            why = fmt::format("{} of {} cannot be judged: {}", rung.untold,
                              util::counted(decisive.asked(), "pair"), coarseness(decisive));
        } else {
            why = fmt::format("the mean of the margins moved by {:.1e}, more than {:.1e}, and {}",
                              std::abs(decisive.drift), decisive.most_drift, coarseness(decisive));
        }
        auto detail = fmt::format("the rung {} cannot show that the model is intact: {}", rung.name, why);
        const auto* mixed = find_decisive(readings_, Rung::mixed);
        if (mixed != nullptr && mixed != &decisive && mixed->clears()) {
            detail += "; the pairs on the rung mixed, which finds larger changes only, agree";
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
    std::optional<Rung> asked_;
    const Replies& replies_;
    FingerprintFinding finding_;
};

}  // namespace

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

Result<FingerprintFinding> judge(const Fingerprint& fingerprint, Replies replies, std::optional<Rung> rung,
                                 const std::string& who) {
    const auto rows = count_inputs(fingerprint);
    if (replies.answers.count != rows) {
        return Error{
            ErrorKind::malformed,
            fmt::format("{}: {} answers to {}", who, replies.answers.count, util::counted(rows, "input")),
            {}};
    }
    std::optional<Outputs> outputs;
    const auto labels = std::move(replies.answers.labels);
    if (fingerprint.access != Access::label || labels.empty()) {
        MODELSEAL_TRY_ASSIGN(outputs, outputs_of(replies.answers, fingerprint.classes, who));
    } else if (labels.size() != rows) {
        return Error{ErrorKind::malformed,
                     fmt::format("{}: {} for {}", who, util::counted(labels.size(), "label"),
                                 util::counted(rows, "input")),
                     {}};
    }
    std::optional<Outputs> noisy;
    if (outputs && outputs->probabilities && replies.value_jitter > 0) {
        noisy = outputs;
        noisy->rounding += kJitterFactor * replies.value_jitter;
    }
    const bool meaningless = outputs && are_noisy_probabilities(*outputs, replies.jitter);
    const Replied replied{.outputs = outputs ? &*outputs : nullptr,
                          .noisy = noisy ? &*noisy : nullptr,
                          .labels = labels,
                          .jitter = replies.jitter,
                          .stray = meaningless ? std::numeric_limits<double>::infinity()
                                               : stray_of(fingerprint, replies.answers.significand)};
    std::vector<RungReading> readings;
    std::size_t first = 0;
    for (const auto& one : fingerprint.rungs) {
        readings.push_back(read_rung(fingerprint, one, first, replied));
        first += 2 * one.pairs.size();
    }
    auto finding = Judgment(readings, rung, replies).reach();
    if (!finding) {
        return Error{
            ErrorKind::usage, fmt::format("the fingerprint has no pairs on the rung '{}'", name_of(*rung)), {}};
    }
    finding->access = name_of(fingerprint.access);
    finding->rounding = replies.answers.rounding;
    finding->jitter = replies.jitter;
    finding->queries = replies.queries;
    for (auto& reading : readings) finding->rungs.push_back(std::move(reading.finding));
    return std::move(*finding);
}

}  // namespace modelseal::blackbox
