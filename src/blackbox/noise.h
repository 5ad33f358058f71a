// How much the margin of one input differs between runtimes that all run the same model honestly.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "blackbox/margin.h"
#include "blackbox/probe.h"

namespace modelseal::blackbox {

inline constexpr double kNoiseFactor = 8;  // a floor in units of the largest noise seen
inline constexpr double kLeastFloor =
    0x1p-18;  // of the spread of the logits: 64 units in the last place of float32
inline constexpr double kLeastMixed = 0x1p-9;  // the same for the 11 bits of TF32 and half precision: 4 units

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

// Mean distance between the largest and the smallest logit of a row.
double spread_of(const Outputs& outputs);

// The least margin on each rung. The one of mixed is at least twice that of fp32.
double fp32_floor(const Noise& noise, double spread);
double mixed_floor(const Noise& noise, double spread, double fp32_floor);

}  // namespace modelseal::blackbox
