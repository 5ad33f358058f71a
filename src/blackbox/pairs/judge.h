// The verdict: compares answers to the pairs of a fingerprint with the recorded ones.
//
// The probability that an honest runtime moves a member across the boundary is bounded by the noise that was
// measured when the fingerprint was made: rounding noise falls off at least as fast as exp(-|noise| / scale),
// and a runtime that was not measured is assumed to be kStranger times as noisy as the noisiest measured one.
// From this follow the number of mismatches that makes "tampered" and the printed bound;
// modelseal-fingerprint(5) has the formulas.
//
// The mean of all margins is compared with the record as well: rounding averages out over hundreds of them,
// the effect of training does not. If the same runtime as on record answers, no probability is needed: it
// repeated itself bit by bit when the fingerprint was made, so an answer that differs in a bit comes from
// another model.
//
// The service decides how coarsely it answers; it cannot thereby be judged by a coarser rung:
// - A mismatch is an answer whose margin moved by more than the recorded one, across the boundary or away
//   from it, and by more than its coarseness explains: an attacker who finds the pairs among the inputs may
//   know their sides under a changed model, but not how far from the boundary the sealed model was. So an
//   untouched model is not called tampered for answers with few decimals, in half precision, or that vary.
//   Enough mismatches on any rung mean tampered, however many pairs of that rung or of another are undecided.
// - Coarseness counts against "intact": undecided pairs count as mismatches there, and the mean of the
//   margins must be within its limit as answered. Any other result is inconclusive.
// - Answers may vary by a quarter of a rung's floor, twice the noise that the floor was designed for, because
//   each of two answers may be off by that. Such jitter changes nothing: the floor allows for it. Beyond it
//   the service is not a runtime of that rung, and the rung cannot find it intact.
#pragma once

#include <optional>

#include "blackbox/fingerprint.h"
#include <modelseal/report.h>

namespace modelseal::blackbox {

inline constexpr double kFalseAlarms = 1e-6;  // per check, at most
inline constexpr double kStranger = 2;
inline constexpr double kJitterFactor = 8;  // answers vary by at most this multiple of the measured jitter

struct Replies {
    // In the order of inputs_of(), rung by rung: all members 0 of the first, all members 1, then the next
    // rung.
    oracle::Answers answers;
    // The largest difference of a margin between two answers to the same input, beyond what their rounding
    // explains; infinite for labels that changed.
    double jitter = 0;
    double value_jitter = 0;  // the same of the values themselves
    std::size_t queries = 0;  // inputs that were sent
    // The same runtime as on record answered: then the exact rung counts as well, and must agree in every
    // bit.
    bool same_runtime = false;
};

// `who` answered, for messages. `rung`: the one that must be decided and agree for "intact"; by default fp32,
// or the finest rung of the fingerprint besides exact. Mismatches count on that rung and on all coarser ones;
// on exact only if the same runtime as on record answered. Errors: outputs of another kind than this model's
// (number of classes, labels instead of values, NaN).
Result<FingerprintFinding> judge(const Fingerprint& fingerprint, Replies replies, std::optional<Rung> rung,
                                 const std::string& who);

// The smallest k for which the chance of k or more flips among independent pairs, each with the given chance,
// is at most `most`, and the bound on that chance. k may be larger than the number of pairs.
struct Threshold {
    std::uint64_t mismatches = 1;
    double bound = 0;
};
Threshold threshold_of(std::span<const double> chances, double most = kFalseAlarms);

}  // namespace modelseal::blackbox
