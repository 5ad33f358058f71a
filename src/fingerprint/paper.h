// Sensitive sample pairing as published (arXiv 2404.07572, sections III-B to III-D), for comparison: a keyed
// linear layer of two outputs, thousands of steps that bring random pixels near its boundary, and small sign
// steps across it.
#pragma once

#include "fingerprint/pairs/crossing.h"
#include "fingerprint/pairs/probe.h"
#include "io/progress.h"

namespace modelseal::fingerprint {

struct Published {
    std::vector<double> direction;  // second output of the layer less the first
    std::vector<Path> paths;        // in pixels: from the last input before the flip to the first one after it
};

// `steps`: of stage 1, 10,000 in the paper. Starts whose label does not flip within as many steps of stage 2
// are left out; the paper does not state how many those were.
Result<Published> published_pairs(Probe& probe, const Keyed& keyed, std::size_t pairs, unsigned steps,
                                  io::Progress& progress);

}  // namespace modelseal::fingerprint
