// The arithmetic of training: the loss of a classifier's outputs, and stochastic gradient descent.
//
// Everything here may throw what LibTorch throws; call within guarded().
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "oracle/training.h"

namespace modelseal::libtorch {

// Numbers of a network that can be changed and written back.
struct Weight {
    std::string name;                 // in the file
    std::vector<at::Tensor> tensors;  // the network's own; several if the same numbers have several names
    bool trained = false;             // false: only widened with the last layer, such as statistics
    bool changed = false;             // since the file was opened
    const at::Tensor& value() const { return tensors.front(); }
};

// Of trained weights; undefined for the others.
std::vector<at::Tensor> copies_of(const std::vector<Weight>& weights);

// What a network's outputs are, as far as they show it.
enum class Scores { logits, probabilities, log_probabilities };

// `outputs`: n x classes, float32.
Scores kind_of_scores(const at::Tensor& outputs);

// The outputs up to a constant of each row: logits, or logarithms of probabilities, zeros taken for the least
// positive normal number.
at::Tensor log_scores(const at::Tensor& outputs, Scores scores);

// The sum over the rows of the cross-entropy with `targets`, probabilities of the outputs' shape.
at::Tensor summed_loss(const at::Tensor& outputs, const at::Tensor& targets, Scores scores);

// Lets gradients reach trained weights; the destructor ends that.
class WithGradients {
  public:
    explicit WithGradients(std::vector<Weight>& weights);
    ~WithGradients();
    WithGradients(const WithGradients&) = delete;
    WithGradients& operator=(const WithGradients&) = delete;
    // The derivatives of `of`, one for each weight; undefined where none reaches it.
    std::vector<at::Tensor> gradients(const at::Tensor& of) const;

  private:
    void require(bool gradients);
    std::vector<Weight>& weights_;
};

// As torch.optim.SGD with dampening 0:
//     v <- momentum v + (g + weight_decay w),  w <- w - rate v
class Descent {
  public:
    explicit Descent(const oracle::TrainingOptions& options) : options_(options) {}
    // One step along `gradients`, one for each weight; an undefined one leaves its weight alone.
    void step(std::vector<Weight>& weights, const std::vector<at::Tensor>& gradients);
    void forget() { velocities_.clear(); }
    const oracle::TrainingOptions& options() const { return options_; }

  private:
    oracle::TrainingOptions options_;
    std::vector<at::Tensor> velocities_;  // undefined before the first step of a weight
};

// The mean of the weights that a descent comes by (oracle/training.h). Between steps the network has the mean.
class Mean {
  public:
    // Gives the network the weights of the last step, to go on from.
    void enter(std::vector<Weight>& weights);
    // Counts those that it has now, and gives it the mean over about so many steps.
    void leave(std::vector<Weight>& weights, double steps);
    void forget();

  private:
    std::vector<at::Tensor> other_;  // what the network does not have; one for each weight; empty: what it has
    double counted_ = 1;
};

}  // namespace modelseal::libtorch
