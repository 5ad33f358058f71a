// Trains a generator of trigger images against a frozen network, in the worker (Yin, Yin, Zhang,
// arXiv 2208.07585).
//
// The generator G is the progressive-growing one (Karras et al. 2018) without discriminator and fade-in. With
// noise z and labels k, one for each trigger, it is trained on all of them at once to minimize
//
//     classification * CE(F(G(z)), k) + variance * var(softmax(F(G(z))))
//
// where var is one unbiased variance over all elements of the batch-by-class matrix. If the outputs of F are
// probabilities, their logarithms are its logits. F stays what it is. Thread safety: as the network's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oracle/oracle.h"
#include <modelseal/result.h>

namespace modelseal::oracle {

inline constexpr std::size_t kGeneratorNoise = 512;  // values of z for each trigger
inline constexpr std::size_t kMostGeneratorWidth = 1u << 14;

struct GeneratorOptions {
    std::size_t width = 64;  // channels of every layer; 512 in the paper
    double classification = 1, variance = 150;
    double rate = 1e-4;      // of Adam, with betas 0.5 and 0.999
    std::uint64_t seed = 0;  // of the weights of G
    // Images are made in [low, high]; the network is given (x - mean) / std. One value, or one for each extent
    // of the first dimension of an input; empty: 0 and 1.
    float low = 0, high = 1;
    std::vector<float> mean = {}, std = {};
};

struct GeneratorStep {
    double loss = 0;            // before the step; NaN if it is not finite, and then G stays what it was
    std::uint64_t matched = 0;  // triggers whose largest output was their label, before the step
};

// Error `usage`, naming the value, unless `noise` is kGeneratorNoise finite numbers for each of the labels, at
// least one, the labels are classes, and every option is in its range for such an input. `who`: the network,
// for messages.
Result<void> check_generator(const GeneratorOptions& options, std::span<const float> noise,
                             std::span<const std::int64_t> labels, const InputShape& input, std::size_t classes,
                             const std::string& who);

}  // namespace modelseal::oracle
