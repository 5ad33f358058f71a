// The parts of a fingerprint that follow from the customer's key: the direction, the starts, the classes, the
// order of pixels.
//
// Everything is drawn from streams of HKDF-SHA-256(check secret, salt), with a new salt for each fingerprint:
// customers share nothing, nor do two fingerprints for one customer.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "blackbox/probe.h"
#include "crypto/keystream.h"
#include <modelseal/keys.h>
#include <modelseal/progress.h>

namespace modelseal::blackbox {

class Keyed {
  public:
    Keyed(const Secret32& secret, std::span<const std::byte, 32> salt);

    // Weights of the boundary: normally distributed, zero sum, unit norm.
    std::vector<double> direction(std::size_t classes) const;
    // Weights of the linear layer of the published stage 0, 2 x classes, uniform as in a new layer, without
    // zero sum.
    std::vector<double> published_layer(std::size_t classes) const;

    // Start number `index`: integers, uniform in [0, levels).
    std::vector<float> start(std::size_t index, std::size_t elements, unsigned levels) const;
    // The same of the kind (starts.h) whose turn it is.
    std::vector<float> picture(std::size_t index, std::span<const std::int64_t> shape, unsigned levels) const;
    // The class whose border is searched from start number `index`.
    std::uint32_t target(std::size_t index, std::size_t classes) const;
    // A permutation of the elements of start number `index`.
    std::vector<std::uint32_t> order(std::size_t index, std::size_t elements) const;

  private:
    crypto::Keystream stream(std::string_view purpose, std::size_t index) const;
    Secret32 key_;
};

// From random starts across the boundary: sign steps along the gradient until the margin changes its sign.
//
// This replaces stage 1 of the published method, whose thousands of steps achieve nothing that a bisection
// does not achieve in twenty evaluations: at random pixels a boundary is a few steps away.

// Inputs are low + unit * integers in [0, levels).
struct Lattice {
    unsigned levels = 0;
    double unit = 0;
};
Lattice lattice_of(const Input& input, Grid grid);

// A path from the negative side (position 0) to the positive side (position 1).
struct Crossing {
    Path path;
    std::size_t start = 0;  // number of the keyed start
    std::uint32_t target = 0;
    double margin[2] = {0, 0};  // at positions 0 and 1
};

// The pixels of `crossings` at `positions` (one each), as inputs_of() computes them.
std::vector<float> pixels_at(const Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                             std::span<const double> positions);

// One boundary for each; it refers to `direction`.
std::vector<Boundary> boundaries_of(std::span<const Crossing> crossings, std::span<const double> direction);

// `count` crossings from keyed starts 0, 1, ...; a start that crosses nothing is replaced by a later one.
// Error `unsupported` if too few of them cross.
Result<std::vector<Crossing>> find_crossings(Probe& probe, const Keyed& keyed, const Lattice& lattice,
                                             std::span<const double> direction, std::size_t count,
                                             Progress& progress);

}  // namespace modelseal::blackbox
