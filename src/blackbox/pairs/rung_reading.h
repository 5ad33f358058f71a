// How much the margin of one input differs between runtimes that all run the same model honestly.
#pragma once

#include <vector>

#include "blackbox/fingerprint.h"
#include "blackbox/pairs/judge.h"
#include "blackbox/pairs/margin.h"
#include "blackbox/pairs/probe.h"

namespace modelseal::blackbox {

struct Noise {
    double largest = 0;                 // difference to the probe's own runtime, over all inputs and runtimes
    double scale = 0;                   // mean absolute difference on the noisiest of the runtimes
    double drift = 0;                   // largest of the runtimes' mean differences, without its sign
    std::vector<std::string> runtimes;  // that were tried
};

// Tries batches of one and of many, thread counts, memory formats, plain kernels, every device, and inputs
// off by a unit in the last place. `reference`: the answers of the probe's own runtime to `pixels`.
Result<Noise> fp32_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                         const Outputs& reference, unsigned threads);

// Tries weights rounded to half precision, on every device. No runtimes if the network cannot be run so.
Result<Noise> mixed_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                          const Outputs& reference);

// The measurements on the pairs of one rung, before a verdict.

// The answers: values, or labels alone.
struct Replied {
    const Outputs* outputs;  // null: labels
    const Outputs* noisy;    // of probabilities that vary: the same, off by as much as that; else null
    std::span<const std::int64_t> labels;
    double jitter;
    // Error of answers in less than float32, in addition to their rounding; 0 for float32.
    double stray;
};

struct RungReading {
    Rung rung = Rung::exact;
    FingerprintFinding::RungFinding finding;
    std::vector<double> chances;  // of a false mismatch, for each pair
    Threshold threshold;
    bool steady = true;          // answers vary no more than an honest runtime of this rung
    std::vector<double> shifts;  // |answered - recorded|, of every member
    double drift = 0;            // mean of answered - recorded, of the members whose margin is known
    double slack = 0;            // of that mean: what the coarseness of the answers explains
    double most_drift = 0;       // on record; 0: not measured

    std::uint64_t asked() const { return finding.pairs + finding.untold; }
    // True if the mismatches, or the mean of all margins, exceed what honest runtimes and coarse answers
    // explain.
    bool accuses() const;
    // True if even with all undecided pairs counted as mismatches there is no alarm.
    bool clears() const;
};

// `first`: the row of member 0 of the first pair.
RungReading read_rung(const Fingerprint& fingerprint, const RungOfPairs& rung, std::size_t first,
                      const Replied& replied);

}  // namespace modelseal::blackbox
