// What a fingerprint of pairs contains.
#pragma once

#include <cstdint>
#include <vector>

#include <modelseal/fingerprint.h>

namespace modelseal::blackbox {

// A line of inputs across the boundary: input = float(low + unit * (base + position * direction)), computed
// in double. `base` and `direction` are integers except with the paper's schedule, so that a container keeps
// them in two bytes and one.
struct Path {
    std::vector<float> base, direction;  // elements of one input
};

// The two inputs of a pair on a rung, and the answers of the sealed model. Member 0 is on the negative side
// of the margin.
struct Member {
    double position = 0;
    double margin = 0;  // w * outputs; for labels: of `label` over the next class, or of the next one over it
    std::int64_t label = 0;  // arg max of the outputs, the lowest class of equals
};
struct Pair {
    std::uint32_t path = 0;    // index into paths; pairs of several rungs share one
    std::uint32_t target = 0;  // label access: the class whose boundary it is
    Member member[2];
};
struct RungOfPairs {
    Rung rung = Rung::exact;
    double noise = 0;  // largest seen among the honest runtimes of this rung
    double scale = 0;  // mean absolute noise of the noisiest of them
    double floor = 0;  // |margin| of every member is at least this
    double drift = 0;  // an honest runtime does not shift the mean of all margins by more; 0: not measured
    std::vector<Pair> pairs;
};

struct Pairs {
    Schedule schedule = Schedule::keyed;
    // Keyed zero-sum directions, classes values each, of unit norm; one for all pairs. Empty for label access.
    std::vector<double> direction;
    std::vector<Path> paths;
    std::vector<RungOfPairs> rungs;  // in order of Rung, those that there are
};

}  // namespace modelseal::blackbox
