// Which weights of a network a set of inputs sees: whether a change of one of them would be noticed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace modelseal::oracle {

// A way to notice a change: the function of an input moves by more than its limit, for so many inputs as are needed.
struct Noticing {
    std::vector<float> limits;  // one for each input
    std::uint64_t needed = 1;
};

// One tensor of weights.
struct CoveredWeights {
    std::string name;
    std::uint64_t weights = 0;  // that are not 0, of which nothing is a part
    std::uint64_t noticed = 0;  // of these, in one way at least
    std::uint64_t dead = 0;     // of these, on which no function of any input depends
};

// The functions are linear in the outputs: cotangents, one row for each input.
struct CoverageQuestion {
    std::span<const float> inputs;      // count x elements
    std::span<const float> cotangents;  // count x outputs
    std::size_t count = 0;
    double change = 0.01;  // of a weight, as a part of it, one at a time
    std::span<const Noticing> ways;
};

// Between modelseal and its worker: tensors in one message, and letters of a name.
inline constexpr std::size_t kCoveredAtOnce = 100, kMostCoveredName = 256;

}  // namespace modelseal::oracle
