// From random starts across the boundary: sign steps along the gradient until the margin changes its sign.
//
// This replaces the published stage 1, whose thousands of steps bring nothing that a bisection does not bring
// in twenty evaluations: at random pixels a boundary is a few steps away.
#pragma once

#include "fingerprint/keyed.h"
#include "fingerprint/probe.h"
#include "io/progress.h"

namespace modelseal::fingerprint {

// Inputs are low + unit * whole numbers in [0, levels).
struct Lattice {
    unsigned levels = 0;
    double unit = 0;
};
Lattice lattice_of(const Input& input, Grid grid);

// A way from the negative side (position 0) to the positive one (position 1).
struct Crossing {
    Path path;
    std::size_t start = 0;  // number of the keyed start
    std::uint32_t target = 0;
    double margin[2] = {0, 0};  // at positions 0 and 1
};

// The pixels of `crossings` at `positions` (one each), as inputs_of() computes them.
std::vector<float> pixels_at(const Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                             std::span<const double> positions);

// One boundary each, which refers to `direction`.
std::vector<Boundary> boundaries_of(std::span<const Crossing> crossings, std::span<const double> direction);

// `count` crossings from keyed starts 0, 1, ...; starts that cross nothing are left out and others taken. Error
// `unsupported` if too few of them cross.
Result<std::vector<Crossing>> find_crossings(Probe& probe, const Keyed& keyed, const Lattice& lattice,
                                             std::span<const double> direction, std::size_t count,
                                             io::Progress& progress);

}  // namespace modelseal::fingerprint
