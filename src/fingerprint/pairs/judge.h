// The verdict: what answers to the pairs of a fingerprint say about the model that gave them.
//
// The chance that an honest runtime moves a member across the boundary is bounded by what was measured when the
// fingerprint was made: rounding noise falls off at least as fast as exp(-|noise| / scale), and a runtime that
// was not measured is taken to be kStranger times as noisy as the noisiest that was. From that follow the
// number of mismatches that makes "tampered" and the bound that is printed; modelseal-fingerprint(5) has the
// formulas.
//
// Beside single margins their mean is held against the record: rounding averages out over hundreds of them,
// what training does to a model does not. And where the very runtime of the record answers, no chance enters:
// it repeated itself bit by bit when the fingerprint was made, so an answer that differs in a bit comes from
// another model.
//
// The other side chooses how coarsely it answers; it cannot choose to be judged by a coarser rung:
//   - A mismatch is an answer whose margin moved by more than the one on record, across the boundary or away
//   from
//     it, and by more than its coarseness explains: whoever finds the pairs among the inputs may know the sides
//     of a changed model, but not how far from the boundary the sealed one was. So an untouched
//     model is not called tampered for answers in few decimals or in half precision, or that vary. Enough
//     mismatches on any rung mean tampered, however many pairs of that rung or of another could not be told.
//   - Whatever coarseness may hide is held against "intact": pairs that cannot be told count as mismatches
//     there, and the mean of the margins must lie within its limit as answered. What is neither is
//     inconclusive.
//   - Answers may vary by a quarter of a rung's floor, twice the noise that the floor was laid out for, since
//     each of two answers may be off by that. Such jitter changes nothing: the floor allows for it. Beyond it
//     the service is not a runtime of that rung, and the rung cannot find it intact.
#pragma once

#include <optional>

#include "fingerprint/fingerprint.h"
#include <modelseal/report.h>

namespace modelseal::fingerprint {

inline constexpr double kFalseAlarms = 1e-6;  // per check, at most
inline constexpr double kStranger = 2;
inline constexpr double kJitterFactor = 8;  // answers vary no further than so many times what was seen of it

struct Replies {
    // In the order of inputs_of() over the rungs: all members 0 of the first, all members 1, then the next
    // rung.
    oracle::Answers answers;
    // The largest difference of a margin between two answers to the same input, beyond what their rounding
    // explains; infinite for labels that changed.
    double jitter = 0;
    double value_jitter = 0;  // the same of the values themselves
    std::size_t queries = 0;  // inputs that were sent
    // Answered by the very runtime of the record: then the exact rung counts as well, and has to agree in every
    // bit.
    bool same_runtime = false;
};

// `who` answered, for messages. `rung`: the one that must be told and agree for "intact"; by default fp32, or
// the finest that the fingerprint has besides exact. Mismatches count on that rung and on all coarser ones; on
// exact only if the very runtime of the record answered. Errors: outputs that are not this model's kind (number
// of classes, labels for values, NaN).
Result<FingerprintFinding> judge(const Fingerprint& fingerprint, Replies replies, std::optional<Rung> rung,
                                 const std::string& who);

// The smallest k for which the chance of k or more flips among independent pairs, each with the given chance,
// is at most `most`, and the bound on that chance. k may be larger than the number of pairs.
struct Threshold {
    std::uint64_t mismatches = 1;
    double bound = 0;
};
Threshold threshold_of(std::span<const double> chances, double most = kFalseAlarms);

}  // namespace modelseal::fingerprint
