// Finds the last layer of a classifier by what it does, and gives it one more output.
//
// A tensor belongs to the last layer if one of its axes has an extent for each class, and a change of the
// slice of class j changes the score of class j and no other (up to a constant of each row, which softmax
// removes). That holds for weights and biases of the last product or convolution, and for the scale, shift and
// statistics of a normalization after it, whatever the operators are called.
//
// Everything here may throw what LibTorch throws; call within guarded().
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "torch/training.h"

namespace modelseal::libtorch {

// The network's outputs for some fixed inputs, different from one another: n x classes.
using Outputs = std::function<at::Tensor()>;

struct Slices {
    std::size_t weight = 0;  // its index
    std::int64_t axis = 0;   // along which there is a slice for each class
};

// Changes weights and restores them. Call without gradients.
std::vector<Slices> find_last_layer(std::vector<Weight>& weights, const Outputs& outputs, Scores scores);

// A last layer that gets one more class, or goes back to what it was.
class Widening {
  public:
    // The slice of the new class is the mean of the others, so that its score starts as their mean; weights
    // that are trained get normal noise from `seed` in addition, `noise` times the spread of the slices.
    Widening(std::vector<Weight>& weights, std::vector<Slices> slices);
    void draw(std::uint64_t seed, double noise);
    void undo();

    const std::vector<Slices>& slices() const { return slices_; }
    // True if the scores of the new class have a gradient with respect to its own slices. Call with gradients.
    bool is_alive(const Outputs& outputs, Scores scores) const;

  private:
    std::vector<Weight>& weights_;
    std::vector<Slices> slices_;
    std::vector<at::Tensor> originals_;
    std::vector<bool> changed_;  // before
};

// True if the first columns of `after` are `before`, up to the softmax's factor and rounding.
bool same_scores(const at::Tensor& before, const at::Tensor& after, Scores scores);

}  // namespace modelseal::libtorch
