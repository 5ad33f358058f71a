// A fingerprint in memory.
#pragma once

#include <algorithm>
#include <span>

#include "oracle/oracle.h"
#include <modelseal/fingerprint.h>

namespace modelseal::blackbox {

// How the inputs of pairs become inputs of the model.
struct Input {
    oracle::InputShape shape;
    float low = 0, high = 1;       // of every element of a pair's inputs
    std::vector<float> mean, std;  // empty, one, or one for each extent of shape[0]
};

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

struct Fingerprint {
    // Facts; all are signed.
    std::string root;  // hex SHA-256 of what the fingerprint is bound to
    bool sealed = false;
    std::string customer;          // empty: for everybody
    std::string model;             // name, for people
    std::string created, expires;  // RFC 3339; expires may be empty
    std::string runtime;           // on which it was made: "LibTorch 1.13.1, cpu, 4 threads"
    Access access = Access::logits;
    Grid grid = Grid::none;
    Schedule schedule = Schedule::keyed;
    Input input;
    double unit = 1;          // of base and direction, in units of the input
    std::size_t classes = 0;  // columns of an answer
    std::size_t batch = 0;    // inputs at once when the recorded answers were made
    // Keyed zero-sum directions, classes values each, of unit norm; one for all pairs. Empty for label access.
    std::vector<double> direction;
    std::vector<Path> paths;
    std::vector<RungOfPairs> rungs;  // in order of Rung, those that there are
};

// One element of an input, `units` away from its lowest value. Search, record and check all compute it here,
// because they must agree in every bit.
inline float pixel_of(const Input& input, double unit, double units) {
    return static_cast<float>(std::clamp(input.low + unit * units, double{input.low}, double{input.high}));
}

// The inputs of both members of `pairs`, first all of member 0, then all of member 1, in pixels (before mean
// and std).
std::vector<float> inputs_of(const Fingerprint& fingerprint, std::span<const Pair> pairs);

// Appends one of them to `inputs`.
void append_input(const Fingerprint& fingerprint, const Pair& pair, int member, std::vector<float>& inputs);

// Converts pixels to the values that the model takes, in place.
void normalise(const Input& input, std::span<float> pixels);

}  // namespace modelseal::blackbox
