// Crossings of networks of any kind, without a gradient: on the way from one keyed picture towards another.
//
// A boundary need not be where a class ends. Any level of a function of the outputs will do that the function takes between two
// inputs, and halfway between its values at both ends it takes one: so a start needs two evaluations and no luck.
#pragma once

#include "blackbox/pairs/crossing.h"
#include "blackbox/pairs/keyed.h"
#include <modelseal/progress.h>

namespace modelseal::blackbox {

// How much each output varies between keyed starts (standard deviation): those of a network that is not a classifier may have any
// sizes.
Result<std::vector<float>> scales_of_outputs(Probe& probe, const Keyed& keyed, const Lattice& lattice);

// `count` crossings, each of a level of its own keyed function, `scales` being the sizes of the outputs (of each; empty: all
// alike). A start between whose ends the outputs hardly differ is replaced by a later one. Error `unsupported` if too few are
// left.
Result<std::vector<Crossing>> find_levels(Probe& probe, const Keyed& keyed, const Lattice& lattice,
                                          std::span<const float> scales, std::size_t count, Progress& progress);

// `count` crossings of borders of classes, between starts that have different ones. Error `unsupported` if too few do.
Result<std::vector<Crossing>> find_borders(Probe& probe, const Keyed& keyed, const Lattice& lattice,
                                           std::size_t count, Progress& progress);

}  // namespace modelseal::blackbox
