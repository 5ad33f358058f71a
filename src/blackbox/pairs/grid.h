// Pairs on the 8-bit grid: members a few gray levels apart, each in the band of a rung.
#pragma once

#include "blackbox/pairs/keyed.h"
#include "blackbox/pairs/placing.h"

namespace modelseal::blackbox {

// For each crossing (whose path is in gray levels) a path with the members at positions 0 and 1, or an empty
// path if the band of [floor, 2 * floor) on both sides, of its own floor, was not reached.
//
// Method: bisect over the pixels of the crossing's last step, in keyed order, to the single pixel that
// changes the sign; then move single pixels by one level, chosen by the gradient, until each member's margin
// is in the band.
Result<std::vector<Path>> place_on_grid(Probe& probe, const Lattice& lattice, const Keyed& keyed,
                                        std::span<const Crossing> crossings, std::span<const double> floors);

}  // namespace modelseal::blackbox
