#include "torch/training.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>

namespace modelseal::libtorch {

std::vector<at::Tensor> copies_of(const std::vector<Weight>& weights) {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> copies;
    for (const auto& weight : weights)
        copies.push_back(weight.trained ? weight.value().detach().clone() : at::Tensor());
    return copies;
}

Scores kind_of_scores(const at::Tensor& outputs) {
    constexpr double kNearly = 1e-3;
    const auto wide = outputs.detach().to(at::kDouble);
    const auto near = [](const at::Tensor& values, double right) {
        return at::all((values - right).abs() < kNearly).item<bool>();
    };
    if (at::all(wide >= 0).item<bool>() && near(wide.sum(1), 1)) return Scores::probabilities;
    if (at::all(wide <= 0).item<bool>() && near(at::logsumexp(wide, {1}), 0)) return Scores::log_probabilities;
    return Scores::logits;
}

at::Tensor log_scores(const at::Tensor& outputs, Scores scores) {
    if (scores != Scores::probabilities) return outputs;
    return at::log(at::clamp_min(outputs, std::numeric_limits<float>::min()));
}

at::Tensor summed_loss(const at::Tensor& outputs, const at::Tensor& targets, Scores scores) {
    auto logarithms = log_scores(outputs, scores);
    // Logarithms of probabilities already have a sum of exponentials of one.
    if (scores == Scores::logits) logarithms = at::log_softmax(logarithms, 1);
    // A class that is ruled out has a logarithm of -infinity, which counts nothing where it is not wanted.
    return -at::where(targets > 0, logarithms * targets, at::zeros_like(logarithms)).sum();
}

WithGradients::WithGradients(std::vector<Weight>& weights) : weights_(weights) {
    require(true);
}

WithGradients::~WithGradients() {
    require(false);
}

void WithGradients::require(bool gradients) {
    for (auto& weight : weights_) {
        for (auto& tensor : weight.tensors) {
            if (weight.trained) tensor.set_requires_grad(gradients);
        }
    }
}

std::vector<at::Tensor> WithGradients::gradients(const at::Tensor& of) const {
    std::vector<at::Tensor> leaves;
    for (const auto& weight : weights_) {
        if (weight.trained) leaves.insert(leaves.end(), weight.tensors.begin(), weight.tensors.end());
    }
    const auto found = torch::autograd::grad({of}, leaves, {}, false, false, true);
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> gradients(weights_.size());
    auto next = found.begin();
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        if (!weights_[i].trained) continue;
        for (std::size_t j = 0; j < weights_[i].tensors.size(); ++j, ++next) {
            if (!next->defined()) continue;
            gradients[i] = gradients[i].defined() ? gradients[i] + *next : *next;
        }
    }
    return gradients;
}

void Descent::step(std::vector<Weight>& weights, const std::vector<at::Tensor>& gradients) {
    const at::NoGradGuard no_gradients;
    velocities_.resize(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!gradients[i].defined()) continue;
        auto& weight = weights[i];
        auto& velocity = velocities_[i];
        auto slope = gradients[i];
        if (options_.weight_decay != 0) slope = slope.add(weight.value(), options_.weight_decay);
        if (options_.momentum != 0) {
            if (velocity.defined()) {
                velocity.mul_(options_.momentum).add_(slope);
            } else {
                velocity = slope.clone();
            }
            slope = velocity;
        }
        weight.tensors.front().add_(slope, -options_.rate);
        weight.changed = true;
    }
}

namespace {

void swap_values(std::vector<Weight>& weights, std::vector<at::Tensor>& others) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!others[i].defined()) continue;
        auto had = weights[i].value().clone();
        weights[i].tensors.front().copy_(others[i]);
        others[i] = std::move(had);
    }
}

}  // namespace

void Mean::enter(std::vector<Weight>& weights) {
    const at::NoGradGuard no_gradients;
    if (!other_.empty()) return swap_values(weights, other_);
    other_ = copies_of(weights);
}

void Mean::leave(std::vector<Weight>& weights, double steps) {
    const at::NoGradGuard no_gradients;
    counted_ = std::max(1.0, std::min(counted_ + 0.25, steps));
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (other_[i].defined()) other_[i].add_(weights[i].value() - other_[i], 1 / counted_);
    }
    swap_values(weights, other_);
}

void Mean::forget() {
    other_.clear();
    counted_ = 1;
}

}  // namespace modelseal::libtorch
