// How much the margin of one input differs between runtimes that all run the same model honestly.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "blackbox/margin.h"
#include "blackbox/probe.h"

namespace modelseal::blackbox {

// A floor in units of the largest noise seen: of sums in another order, and of all runtimes, among them other algorithms. Of nine
// networks, no runtime was off by more than 2.2 times what all others together were off by (leave one out), and none of those by
// more than 2.5 times in the mean of the margins.
inline constexpr double kOrderFactor = 8, kNoiseFactor = 2, kDriftFactor = 3;
inline constexpr double kLeastFloor =
    0x1p-18;  // of the spread of the logits: 64 units in the last place of float32
inline constexpr double kLeastMixed = 0x1p-9;  // the same for the 11 bits of TF32 and half precision: 4 units

struct Noise {
    double largest = 0;  // difference to the probe's own runtime, over all inputs and runtimes
    double orders = 0;   // the same of the runtimes that only sum in another order
    double scale = 0;    // mean absolute difference on the noisiest of these, for mixed of all
    double drift = 0;    // largest of the runtimes' mean differences, without its sign
    std::vector<FingerprintSummary::OnRuntime> runtimes;  // that were tried
};

// Tries every honest way to compute in float32 that there is here: batches of one and of many, thread counts, memory formats,
// plain kernels, every device; the arithmetic of other engines (oracle/arithmetic.h); inputs off by a unit in the last place,
// and written with 7 digits. `reference`: the answers of the probe's own runtime to `pixels`.
Result<Noise> fp32_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                         const Outputs& reference, unsigned threads);

// Tries what computes in less than float32 and calls itself the same model: weights, inputs, or all of it in half precision,
// TF32 products, bfloat16. No runtimes if the network cannot be run so.
Result<Noise> mixed_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                          const Outputs& reference);

// Mean distance between the largest and the smallest logit of a row.
double spread_of(const Outputs& outputs);

// The least margin on each rung, for `count` pairs or triggers: so wide that for an alarm a fifteenth of them is enough, for mixed
// a quarter, and always at least one. The one of mixed is at least twice that of fp32.
double fp32_floor(const Noise& noise, double spread, unsigned count);
double mixed_floor(const Noise& noise, double spread, unsigned count, double fp32_floor);

}  // namespace modelseal::blackbox
