// What a fingerprint of pairs contains.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "blackbox/margin.h"
#include "blackbox/tried_runtimes.h"
#include <modelseal/fingerprint.h>

namespace modelseal::blackbox {

// A line of inputs across a boundary: input = float(low + unit * (base + position * direction)), computed
// in double. `base` and `direction` are integers except with the paper's schedule, so that a container keeps
// them in two bytes and one.
struct Path {
    std::vector<float> base, direction;  // elements of one input
    // The boundary (margin.h): weights of outputs, of unit norm and zero sum, and the value that the function has on it.
    // Empty: Pairs::direction.
    std::vector<double> weights = {};
    std::vector<std::uint32_t> outputs = {};  // that they are of; empty: all
    double offset = 0;
    double noise =
        0;  // by this an honest runtime moves the mean margin of all members (shifts.h); 0: not measured
};

// The two inputs of a pair on a rung, and the answers of the sealed model. Member 0 is on the negative side
// of the margin.
struct Member {
    double position = 0;
    double margin =
        0;  // of its boundary; for labels: of `label` over the next class, or of the next one over it
    std::int64_t label = 0;  // arg max of the outputs, the lowest class of equals
};
struct Pair {
    std::uint32_t path = 0;    // index into paths; pairs of several rungs share one
    std::uint32_t target = 0;  // label access: the class whose boundary it is
    Member member[2];
    double unit = 1;  // how noisy its margins are; noise, scale and floor of the rung are in such units
};
struct RungOfPairs {
    Rung rung = Rung::exact;
    double noise = 0;  // largest seen among the honest runtimes of this rung
    double scale = 0;  // mean absolute noise of the noisiest of them
    double floor = 0;  // |margin| of every member is at least this
    double drift = 0;  // an honest runtime does not shift the mean of all margins by more; 0: not measured
    TriedRuntimes tried;
    std::vector<Pair> pairs;
};

// How honest runtimes move the mean margins of paths: counted over all of them, each in units of the noise of its own runtime, so
// that what is left is the shape of the noise.
struct HonestShifts {
    std::vector<std::uint64_t> beyond;  // so many were beyond each of kShiftLevels
    std::uint64_t counted = 0;          // 0: not measured
};

struct Pairs {
    Schedule schedule = Schedule::keyed;
    // Weights of the outputs, one for all paths that have none of their own. Empty for label access.
    std::vector<double> direction;
    std::vector<Path> paths;
    std::vector<RungOfPairs> rungs;  // in order of Rung, those that there are
    HonestShifts shifts;
    std::optional<FingerprintSummary::Coverage> coverage;
};

// Refers to `pairs`.
inline Boundary boundary_of(const Pairs& pairs, const Path& path, std::uint32_t target) {
    if (path.weights.empty()) return {pairs.direction, target};
    return {path.weights, target, path.outputs, path.offset};
}
inline Boundary boundary_of(const Pairs& pairs, const Pair& pair) {
    return boundary_of(pairs, pairs.paths[pair.path], pair.target);
}

}  // namespace modelseal::blackbox
