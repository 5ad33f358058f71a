// Paths that lead across a boundary.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "blackbox/pairs/pairs.h"
#include "blackbox/probe.h"

namespace modelseal::blackbox {

// Inputs are low + unit * integers in [0, levels).
struct Lattice {
    unsigned levels = 0;
    double unit = 0;
    // Of the way from one picture towards another that a path goes: its inputs are of the kind of its start, and its steps fit a
    // byte, or are a few gray levels.
    double part = 1;
};
Lattice lattice_of(const Input& input, Grid grid);

// A path from the negative side (position 0) to the positive side (position 1).
struct Crossing {
    Path path;              // without weights: it leads to the border of class `target`
    std::size_t start = 0;  // number of the keyed start
    std::uint32_t target = 0;
    double margin[2] = {0, 0};  // at positions 0 and 1
};

// The pixels of `crossings` at `positions` (one each), as inputs_of() computes them.
std::vector<float> pixels_at(const Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                             std::span<const double> positions);

// They refer to the crossings.
Boundary boundary_of(const Crossing& crossing);
std::vector<Boundary> boundaries_of(std::span<const Crossing> crossings);

}  // namespace modelseal::blackbox
