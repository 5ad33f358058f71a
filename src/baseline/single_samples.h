// Published fingerprints of single inputs, for comparison with pairs and generated triggers at the same budget:
// every sample is one query, and a label other than the recorded one is an alarm.
//
//   dbi  brings random pixels to where all classes are about equal: minimizes the variance of the outputs
//        (arXiv 2305.09684; a baseline of arXiv 2404.07572, section IV)
//   aid  besides activates neurons (Aramoon, Chen, Qu, "AID: Attesting the Integrity of Deep Neural Networks",
//        DAC 2021): minimizes that variance less the activation of the input. The published code counts
//        neurons above 0, a number without a gradient, so that it does what dbi does. Here the count is
//        replaced by the mean output of all rectified units, which has one.
//
// Both descend by plain gradient steps, clamped to the range. Of a network that answers probabilities the
// outputs are their logarithms, whose variance is that of the logits.
#pragma once

#include "blackbox/pairs/keyed.h"
#include "blackbox/probe.h"
#include <modelseal/progress.h>

namespace modelseal::baseline {

struct SamplePlan {
    std::size_t count = 150;
    unsigned steps = 10'000;  // at most, in the paper
    double rate = 1e-3;       // 1e-1 there for AID on VGG16
    double activation = 1;    // weight of AID's second term
};

struct SingleSamples {
    std::vector<float> pixels;         // count x elements
    std::vector<std::int64_t> labels;  // count: the largest output of the network, the first of equals
    std::vector<double> variances;     // count: unbiased, of the outputs
    std::vector<float> activations;    // count, before the last step; none for dbi or without steps
    std::uint64_t evaluations = 0;     // of one input; a gradient counts 3
};

// Errors: those of the probe's network; for aid `unsupported` too if its rectified units are hidden or absent.
Result<SingleSamples> dbi_samples(blackbox::Probe& probe, const blackbox::Keyed& keyed, const SamplePlan& plan,
                                  Progress& progress);
Result<SingleSamples> aid_samples(blackbox::Probe& probe, const blackbox::Keyed& keyed, const SamplePlan& plan,
                                  Progress& progress);

}  // namespace modelseal::baseline
