// How far the margin of one input differs between runtimes that all run the same model honestly.
#pragma once

#include "fingerprint/probe.h"

namespace modelseal::fingerprint {

struct Noise {
    double largest = 0;                 // difference to the probe's own runtime, over all inputs and runtimes
    double scale = 0;                   // mean absolute difference on the noisiest of the runtimes
    double drift = 0;                   // largest of the runtimes' mean differences, without its sign
    std::vector<std::string> runtimes;  // that were tried
};

// Batches of one and of many, thread counts, memory formats, plain kernels, every device, and inputs off by a
// unit in the last place. `reference`: what the probe's own runtime answers to `pixels`.
Result<Noise> fp32_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                         const Outputs& reference, unsigned threads);

// Weights rounded to half precision, on every device. No runtimes if the network cannot be run so.
Result<Noise> mixed_noise(Probe& probe, const std::vector<float>& pixels, std::span<const Boundary> boundaries,
                          const Outputs& reference);

}  // namespace modelseal::fingerprint
