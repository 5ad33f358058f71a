// A fingerprint in memory: facts that every method has, and the queries of one method.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "blackbox/pairs/pairs.h"
#include "blackbox/triggers/triggers.h"
#include "oracle/oracle.h"
#include <modelseal/fingerprint.h>

namespace modelseal::blackbox {

// How pixels become inputs of the model.
struct Input {
    oracle::InputShape shape;
    float low = 0, high = 1;       // of every pixel
    std::vector<float> mean, std;  // empty, one, or one for each extent of shape[0]
};

struct Fingerprint {
    // All are signed.
    std::string root;  // hex SHA-256 of what the fingerprint is bound to
    bool sealed = false;
    std::string customer;          // empty: for everybody
    std::string model;             // name, for people
    std::string created, expires;  // RFC 3339; expires may be empty
    std::string runtime;           // on which it was made: "LibTorch 1.13.1, cpu, 4 threads"
    Access access = Access::logits;
    Grid grid = Grid::none;
    Input input;
    double unit = 1;                        // the integers of which inputs are kept, or the steps of their grid
    std::size_t classes = 0;                // columns of an answer
    std::size_t batch = 0;                  // inputs at once when the recorded answers were made
    bool alone = false;                     // each input is asked by itself (answering.h); the batch is 1
    std::variant<Pairs, Triggers> queries;  // in the order of FingerprintMethod

    AnswersOf answers_of() const {
        return access == Access::values ? AnswersOf::other_network : AnswersOf::classifier;
    }
    FingerprintMethod method() const { return static_cast<FingerprintMethod>(queries.index()); }
    // Precondition: it is of this method.
    Pairs& pairs() { return std::get<Pairs>(queries); }
    const Pairs& pairs() const { return std::get<Pairs>(queries); }
    Triggers& triggers() { return std::get<Triggers>(queries); }
    const Triggers& triggers() const { return std::get<Triggers>(queries); }
};

// One element of an input, `units` away from its lowest value. Search, record and check all compute it here,
// because they must agree in every bit.
inline float pixel_of(const Input& input, double unit, double units) {
    return static_cast<float>(std::clamp(input.low + unit * units, double{input.low}, double{input.high}));
}

// Converts pixels to the values that the model takes, in place.
void normalise(const Input& input, std::span<float> pixels);

// The shape of the inputs, and of those on a grid of gray levels the value of each level: what a service is asked with.
oracle::InputShape asked_shape(const Fingerprint& fingerprint);

}  // namespace modelseal::blackbox
