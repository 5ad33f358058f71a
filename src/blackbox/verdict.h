// The verdict: from what answers show on each rung to a finding, for any method.
//
// The probability that an honest runtime moves an input across the boundary is bounded by the noise that was
// measured when the fingerprint was made: rounding noise falls off at least as fast as exp(-|noise| / scale),
// and a runtime that was not measured is assumed to be kStranger times as noisy as the noisiest measured one.
// From this follow the number of mismatches that makes "tampered" and the printed bound;
// modelseal-fingerprint(5) has the formulas.
//
// The bound is a model, and is never told as less than 1e-6: nothing smaller can be measured. It covers crossings alone.
//
// The mean of all margins may be compared with the record as well: rounding averages out over hundreds of
// them, the effect of training does not. If the same runtime as on record answers, no probability is needed:
// it repeated itself bit by bit when the fingerprint was made, so an answer that differs in a bit comes from
// another model. A service never counts as the same runtime: whether its batches are those on record is luck, so that the
// exact rung says nothing about it either way.
//
// The service decides how coarsely it answers; it cannot thereby be judged by a coarser rung:
// - A mismatch is an answer whose margin moved by more than the recorded one, across the boundary or away
//   from it, and by more than its coarseness explains: an attacker who finds the queries among the inputs may
//   know their sides under a changed model, but not how far from the boundary the sealed model was. So an
//   untouched model is not called tampered for answers with few decimals, in half precision, or that vary.
//   Enough mismatches on any rung mean tampered, however much of that rung or of another is undecided.
// - Coarseness counts against "intact": undecided queries count as mismatches there, and the mean of the
//   margins must be within its limit as answered. Any other result is inconclusive.
// - Answers may vary by a quarter of a rung's floor, which is more than batches of other sizes move a margin. Such jitter
//   changes nothing: the floor allows for it. Beyond it the service is not a runtime of that rung, and the rung cannot find it
//   intact.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "blackbox/replies.h"
#include "blackbox/tried_runtimes.h"
#include <modelseal/report.h>

namespace modelseal::blackbox {

inline constexpr double kFalseAlarms = 1e-6;  // per check, at most
inline constexpr double kShiftsPart =
    1.0 / 4;  // of these, that shifts of margins may make; rungs share the rest
inline constexpr double kStranger = 2;
inline constexpr double kSteadyShare = 1.0 / 4;  // of a floor: the jitter of an honest runtime, see above

// Of kFalseAlarms, the part of each of `rungs` that count, at least one; `shifts`: whether those of margins are compared too.
double share_of_rung(std::size_t rungs, bool shifts);

// The chance that an honest runtime moves an input of this margin across the boundary.
double chance_of_crossing(double margin, double scale, double floor);

// The smallest k for which the chance of k or more flips among independent queries, each with the given
// chance, is at most `most`, and the bound on that chance. k may be larger than the number of queries.
struct Threshold {
    std::uint64_t mismatches = 1;
    double bound = 0;
};
Threshold threshold_of(std::span<const double> chances, double most = kFalseAlarms);

// The measurements on one rung.
struct RungReading {
    Rung rung = Rung::exact;
    FingerprintFinding::RungFinding finding;
    std::vector<double> chances;  // of a false mismatch, for each unit (pair or trigger)
    Threshold threshold;
    bool steady = true;          // answers vary no more than an honest runtime of this rung
    std::vector<double> shifts;  // |answered - recorded|, of every query
    double drift = 0;            // mean of answered - recorded, of the queries whose margin is known
    double slack = 0;            // of that mean: what the coarseness of the answers explains
    double most_drift = 0;       // on record; 0: not measured
    double headroom = 0;         // least recorded |margin| in units of the noise; 0: not known
    TriedRuntimes tried;         // that the noise is of

    std::uint64_t asked() const { return finding.compared + finding.untold; }
    // True if the mismatches, or the mean of all margins, exceed what honest runtimes and coarse answers
    // explain.
    bool accuses() const;
    // True if even with all undecided units counted as mismatches there is no alarm.
    bool clears() const;
};

// How far margins moved, in units of the noise of the noisiest honest runtime.
struct ShiftReading {
    struct Level {
        double factor = 0;              // of that noise
        std::uint64_t threshold = 1;    // so many that moved further are an alarm
        std::uint64_t moved = 0;        // by more than that and what the coarseness of the answers explains
        std::uint64_t as_answered = 0;  // by more than that
    };
    std::uint64_t compared = 0;
    std::vector<Level> levels;  // at least one, ascending

    bool accuses() const;
    bool clears() const;
    // The one that says most.
    const Level& strongest() const;
};

// How a method speaks of its units: "pair", "all answers are on their side", "crossed the boundary".
struct Wording {
    std::string_view unit, agree, differ;
};

// The conclusion from all rungs together, without the facts of the fingerprint and the details of the method.
// Empties the findings of `readings`. `asked`: as in Method::judge(). `shifts`: of margins, which suppose float32. Nullopt if
// there is no such rung.
std::optional<FingerprintFinding> conclude(std::vector<RungReading>& readings,
                                           const std::optional<ShiftReading>& shifts, std::optional<Rung> asked,
                                           const Replies& replies, const Wording& words);

}  // namespace modelseal::blackbox
