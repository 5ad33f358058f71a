// A network as the search sees it: pixels in, margins out, every evaluation counted.
#pragma once

#include "blackbox/fingerprint.h"
#include "blackbox/margin.h"
#include "oracle/network.h"

namespace modelseal::blackbox {

// Rows of pixels, row-major: count x elements.
class Probe {
  public:
    // `batch`: inputs at a time, so that the same inputs always meet the same kernels. `alone`: it is 1, and must be.
    Probe(oracle::Network& network, const Input& input, std::size_t classes, std::size_t batch,
          AnswersOf of = AnswersOf::classifier, bool alone = false)
        : network_(network), input_(input), classes_(classes), batch_(batch), of_(of), alone_(alone) {}

    Result<Outputs> outputs(std::vector<float> pixels);
    Result<Outputs> outputs_as(std::vector<float> pixels, oracle::Runtime runtime);

    // Row i is scored against boundaries[i].
    Result<std::vector<Scored>> score(std::vector<float> pixels, std::span<const Boundary> boundaries);

    struct Slopes {
        std::vector<Scored> at;
        std::vector<float> gradient;  // of the margin, by pixel; count x elements
    };
    Result<Slopes> slopes(std::vector<float> pixels, std::span<const Boundary> boundaries);

    // As slopes(), for any function of the outputs.
    Result<std::vector<float>> gradient(std::vector<float> pixels, const oracle::Cotangents& cotangents);

    // oracle::Network::coverage() of functions with these derivatives by the outputs; an input counts 3 evaluations.
    Result<std::vector<oracle::CoveredWeights>> coverage(std::vector<float> pixels,
                                                         std::span<const float> cotangents, double change,
                                                         std::span<const oracle::Noticing> ways);

    std::size_t elements() const { return input_.shape.elements(); }
    const Input& input() const { return input_; }
    std::size_t batch() const { return batch_; }
    bool alone() const { return alone_; }
    std::size_t classes() const { return classes_; }
    oracle::Network& network() { return network_; }
    std::uint64_t evaluations() const { return evaluations_; }  // of one input; a gradient counts 3

  private:
    oracle::Network& network_;
    const Input& input_;
    std::size_t classes_, batch_;
    AnswersOf of_;
    bool alone_;
    std::uint64_t evaluations_ = 0;
};

}  // namespace modelseal::blackbox
