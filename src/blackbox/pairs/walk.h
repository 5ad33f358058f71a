// From keyed starts to the border of a keyed class: sign steps along the gradient until the margin changes its sign.
//
// This replaces stage 1 of the published method, whose thousands of steps achieve nothing that a bisection
// does not achieve in twenty evaluations: at random pixels a border is a few steps away.
#pragma once

#include "blackbox/pairs/crossing.h"
#include "blackbox/pairs/keyed.h"
#include <modelseal/progress.h>

namespace modelseal::blackbox {

// `count` crossings from keyed starts 0, 1, ...; a start that crosses nothing is replaced by a later one.
// Error `unsupported` if too few of them cross, or the network has no gradient.
Result<std::vector<Crossing>> walk_to_borders(Probe& probe, const Keyed& keyed, const Lattice& lattice,
                                              std::size_t count, Progress& progress);

}  // namespace modelseal::blackbox
