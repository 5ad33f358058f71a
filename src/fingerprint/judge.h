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
#pragma once

#include <optional>

#include "fingerprint/fingerprint.h"
#include <modelseal/report.h>

namespace modelseal::fingerprint {

inline constexpr double kFalseAlarms = 1e-6;  // per check, at most
inline constexpr double kStranger = 2;

struct Replies {
    // In the order of inputs_of() over the rungs: all members 0 of the first, all members 1, then the next
    // rung.
    oracle::Answers answers;
    // The largest difference of a margin between two answers to the same input; 0 if none was asked twice, or
    // they were equal.
    double jitter = 0;
    // Answered by the very runtime of the record: then the exact rung counts as well, and has to agree in every
    // bit.
    bool same_runtime = false;
};

// `who` answered, for messages. `rung`: the one that the verdict rests on; by default fp32, or a wider one if
// the answers are too coarse for it, or the only one. Errors: outputs that are not this model's kind (number of
// classes, labels for values, NaN).
Result<FingerprintFinding> judge(const Fingerprint& fingerprint, Replies replies, std::optional<Rung> rung,
                                 const std::string& who);

// The smallest k for which the chance of k or more flips among independent pairs, each with the given chance,
// is at most kFalseAlarms, and the bound on that chance.
struct Threshold {
    std::uint64_t mismatches = 1;
    double bound = 0;
};
Threshold threshold_of(std::span<const double> chances);

}  // namespace modelseal::fingerprint
