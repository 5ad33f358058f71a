// Sensitive sample pairing as published (arXiv 2404.07572), for comparison: a keyed linear layer of two outputs
// (stage 0, section III-A), thousands of steps that bring random pixels near its boundary (stage 1, section
// III-B, equation 6), and small sign steps across it (stage 2, section III-C, equation 7).
#pragma once

#include "blackbox/pairs/keyed.h"
#include "blackbox/probe.h"
#include <modelseal/progress.h>

namespace modelseal::baseline {

struct PublishedPairs {
    std::vector<double> direction;  // second output of the layer less the first
    std::vector<blackbox::Path>
        paths;  // in pixels: the last input before the flip, and the way to the first one after
};

// `steps`: of stage 1, 10,000 in the paper. Starts whose label does not flip within as many steps of stage 2
// are left out; the paper does not say how many those were.
Result<PublishedPairs> published_pairs(blackbox::Probe& probe, const blackbox::Keyed& keyed, std::size_t pairs,
                                       unsigned steps, Progress& progress);

}  // namespace modelseal::baseline
