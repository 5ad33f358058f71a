// Losses, which some exported graphs still hold.
#include "torch/onnx_call.h"

namespace modelseal::onnx {

namespace {

struct Weighted {
    at::Tensor loss;     // of each element, weighted
    at::Tensor weights;  // that counted
};

// -log p of each target; elements whose target is to be ignored count nothing.
Weighted negative_log(const Call& call, const at::Tensor& log_probabilities) {
    const auto classes = log_probabilities.size(1);
    const auto target = call.in(1).to(at::kLong);
    auto counts = at::ones_like(target, at::TensorOptions(at::kBool));
    if (call.given("ignore_index")) counts = target != call.integer("ignore_index", 0);
    const auto safe = at::where(counts, target, at::zeros_like(target));
    if (safe.numel() > 0) {
        require(safe.min().item<std::int64_t>() >= 0 && safe.max().item<std::int64_t>() < classes,
                "a target is no class");
    }
    auto weights = counts.to(log_probabilities.scalar_type());
    if (call.has(2)) weights = weights * call.in(2).index_select(0, safe.reshape({-1})).reshape(safe.sizes());
    const auto picked = at::gather(log_probabilities, 1, safe.unsqueeze(1)).squeeze(1);
    return {-picked * weights, weights};
}

at::Tensor reduced(const Call& call, const Weighted& of) {
    const auto reduction = call.text("reduction", "mean");
    if (reduction == "none") return of.loss;
    if (reduction == "sum") return of.loss.sum();
    return of.loss.sum() / of.weights.sum();
}

void negative_log_likelihood(Call& call) {
    call.give_like(reduced(call, negative_log(call, call.in(0))));
}

void cross_entropy(Call& call) {
    const auto logs = at::log_softmax(call.in(0), 1);
    call.give_like(reduced(call, negative_log(call, logs)));
    call.give_like(logs);
}

constexpr Operator kLossOperators[] = {
    {"", "NegativeLogLikelihoodLoss", negative_log_likelihood},
    {"", "SoftmaxCrossEntropyLoss", cross_entropy},
};

}  // namespace

std::span<const Operator> loss_operators() {
    return kLossOperators;
}

}  // namespace modelseal::onnx
