// How much the margin of one input differs between runtimes that all run the same model honestly.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "blackbox/margin.h"
#include "blackbox/probe.h"
#include "blackbox/tried_runtimes.h"

namespace modelseal::blackbox {

// A floor in units of the largest noise seen: of sums in another order, and of all runtimes, among them other algorithms. Of nine
// networks, no runtime was off by more than 2.2 times what all others together were off by (leave one out).
inline constexpr double kOrderFactor = 4, kNoiseFactor = 2;
// Where no other algorithms can be tried: honest ones were off by up to 5.4 times what sums in other orders were.
inline constexpr double kNarrowFactor = 8;
inline constexpr double kLeastFloor =
    0x1p-18;  // of the spread of the logits: 64 units in the last place of float32
inline constexpr double kLeastMixed = 0x1p-9;  // the same for the 11 bits of TF32 and half precision: 4 units

// What runtimes are asked, and how the probe's own one answers.
struct NoiseInputs {
    std::vector<float> pixels;
    std::vector<Boundary> boundaries;  // one for each input
    std::vector<double> margins;       // that it answers
    // Inputs in sequence of the same group count as one, by their mean; empty: each for itself.
    std::vector<std::size_t> groups = {};
    std::size_t few = 48;  // so many of the first inputs are enough for runtimes that are slow
};

// A runtime that was tried.
struct Tried {
    FingerprintSummary::OnRuntime facts;
    std::vector<double>
        offs;                 // answered less recorded margin, of all inputs or groups, or of the first of them
    bool alike = false;       // it moves the margins of neighboring inputs alike: weights or inputs are others
    bool only_orders = true;  // it does no more than sum in another order
};

// Every honest way to compute in float32 that there is here: batches of one and of many, thread counts, memory formats,
// plain kernels, every device; the arithmetic of other engines (oracle/arithmetic.h); inputs off by a unit in the last place,
// and written with 7 digits. `only`: those of these names; empty: all.
Result<std::vector<Tried>> try_fp32(Probe& probe, const NoiseInputs& inputs, unsigned threads,
                                    const std::set<std::string>& only = {});

// The names of those that can decide how far the mean of several margins moves: a third as noisy as the noisiest or more, or moving
// margins of neighboring inputs alike. `units`: of the inputs.
std::set<std::string> loud_ones(std::span<const Tried> tried, std::span<const double> units);

// What computes in less than float32 and calls itself the same model: weights, inputs, or all of it in half precision,
// TF32 products, bfloat16. None if the network cannot be run so.
Result<std::vector<Tried>> try_mixed(Probe& probe, const NoiseInputs& inputs);

// How noisy each of `count` inputs is in relation to the others, by what the runtimes show that took all of them. The squares
// have a mean of 1.
std::vector<double> units_of(std::span<const Tried> tried, std::size_t count);

// In units of each input: some are many times as noisy as others, and would hold down the others.
struct Noise {
    std::vector<double> units;  // in units of the margin
    double largest = 0;         // over all inputs and runtimes
    double orders = 0;          // the same of the runtimes that only sum in another order
    double scale = 0;           // mean absolute difference on the noisiest of these, for mixed of all
    bool wide = false;          // other algorithms were among the runtimes
    TriedRuntimes tried;
};
Noise noise_over(std::span<const Tried> tried, std::vector<double> units);

// Mean distance between the largest and the smallest logit of a row.
double spread_of(const Outputs& outputs);

// The same of margins that are sums of numbers of any sizes: three times the size of their terms.
double spread_of_terms(const Outputs& outputs, std::span<const Boundary> boundaries);

// The least margin on each rung in those units, for `count` pairs or triggers: so wide that one mismatch is an alarm, on mixed a
// quarter of them. The one of mixed is at least twice that of fp32.
double fp32_floor(const Noise& noise, double spread, unsigned count);
double mixed_floor(const Noise& noise, double spread, unsigned count, double fp32_floor);

}  // namespace modelseal::blackbox
