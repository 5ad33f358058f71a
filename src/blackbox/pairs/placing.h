// Finds the position on a path across the boundary where the margin changes its sign, and positions at a
// given distance from it.
#pragma once

#include <array>

#include "blackbox/pairs/crossing.h"

namespace modelseal::blackbox {

// Positions of neighboring inputs with the boundary between them: first on the negative side.
using Bracket = std::array<double, 2>;

// How close the ends of a bracket are, in lengths of the path. A path has a few thousand distinct float32 inputs in every 2^-16
// of its length, so that nothing lies between neighbors; near: about as close as runtimes agree on where the boundary is.
inline constexpr double kNeighbors = 0x1p-32, kNear = 0x1p-20;

// One for each crossing, found by Chandrupatla's method in about twenty evaluations (T. Chandrupatla, A new
// hybrid quadratic/bisection algorithm, Advances in Engineering Software 28, 1997).
Result<std::vector<Bracket>> bracket(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                                     double tolerance);

// Positions where the margin is in (-kBand * floor, -floor] and in [floor, kBand * floor), with a floor for each crossing;
// NaN where there are none.
inline constexpr double kBand = 1.3;
Result<std::vector<Bracket>> place(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                                   std::span<const Bracket> brackets, std::span<const double> floors);

}  // namespace modelseal::blackbox
