// Normalization over batches, instances, layers, groups and neighbors.
#include <algorithm>

#include "torch/onnx/call.h"

namespace modelseal::libtorch::onnx {

namespace {

// A vector with one element a channel, to be stretched over N x C x ...
at::Tensor per_channel(const at::Tensor& vector, const at::Tensor& x) {
    Ints shape(static_cast<std::size_t>(x.dim()), 1);
    require(x.dim() >= 2, "the input has no channels");
    shape[1] = -1;
    return vector.reshape(shape);
}

void batch_norm(Call& call) {
    const auto x = call.in(0);
    const auto scale = call.in(1), bias = call.in(2), mean = call.in(3), variance = call.in(4);
    const auto epsilon = call.real("epsilon", 1e-5);
    if (call.integer("spatial", 1) == 0) unsupported("statistics of each element");
    const bool training = call.opset() >= 14 && call.integer("training_mode", 0) != 0;
    if (!training) {
        return call.give_like(at::batch_norm(x, scale, bias, mean, variance, false, 0, epsilon, true));
    }
    Ints axes = {0};
    for (std::int64_t axis = 2; axis < x.dim(); ++axis) axes.push_back(axis);
    const auto own_mean = at::mean(x, axes);
    const auto own_variance = at::var(x, axes, false);
    const auto momentum = call.real("momentum", 0.9);
    call.give_like((x - per_channel(own_mean, x)) / at::sqrt(per_channel(own_variance, x) + epsilon) *
                       per_channel(scale, x) +
                   per_channel(bias, x));
    call.give(mean * momentum + own_mean * (1 - momentum), call.type(3));
    call.give(variance * momentum + own_variance * (1 - momentum), call.type(4));
}

void instance_norm(Call& call) {
    const auto x = call.in(0);
    call.give_like(
        at::instance_norm(x, call.in(1), call.in(2), {}, {}, true, 0, call.real("epsilon", 1e-5), true));
}

void layer_norm(Call& call) {
    const auto x = call.in(0);
    const auto axis = axis_of(call.integer("axis", -1), x.dim());
    const auto shape = x.sizes().slice(static_cast<std::size_t>(axis)).vec();
    const auto epsilon = call.real("epsilon", 1e-5);
    const auto scale = call.in(1).expand(shape).contiguous();
    c10::optional<at::Tensor> bias;
    if (call.has(2)) bias = call.in(2).expand(shape).contiguous();
    auto [result, mean, deviation] = at::native_layer_norm(x, shape, scale, bias, epsilon);
    call.give_like(result);
    call.give(mean);
    call.give(deviation);
}

void rms_norm(Call& call) {
    const auto x = call.in(0);
    Ints axes;
    for (auto axis = axis_of(call.integer("axis", -1), x.dim()); axis < x.dim(); ++axis) axes.push_back(axis);
    const auto mean = at::mean(x * x, axes, true);
    call.give_like(x * at::rsqrt(mean + call.real("epsilon", 1e-5)) * call.in(1));
}

// Until opset 20 scale and bias were given for each group, since then for each channel.
void group_norm(Call& call) {
    const auto x = call.in(0);
    const auto groups = call.integer("num_groups", 0);
    require(x.dim() >= 2 && groups > 0 && x.size(1) % groups == 0,
            "the number of channels is not a multiple of num_groups");
    auto scale = call.in(1), bias = call.in(2);
    if (call.opset() < 21 && scale.numel() == groups) {
        scale = scale.repeat_interleave(x.size(1) / groups);
        bias = bias.repeat_interleave(x.size(1) / groups);
    }
    call.give_like(at::group_norm(x, groups, scale, bias, call.real("epsilon", 1e-5)));
}

void local_response(Call& call) {
    const auto x = call.in(0);
    const auto size = call.integer("size", 0);
    require(size >= 1 && size < (1 << 20) && x.dim() >= 2, "size");
    auto squares = x * x;
    Ints pads(static_cast<std::size_t>(2 * (x.dim() - 2)), 0);
    pads.push_back((size - 1) / 2);
    pads.push_back(size - 1 - (size - 1) / 2);
    squares = at::constant_pad_nd(squares, pads, 0);
    const auto totals = squares.unfold(1, size, 1).sum(-1);
    const auto alpha = call.real("alpha", 1e-4) / static_cast<double>(size);
    call.give_like(x / at::pow(totals * alpha + call.real("bias", 1), call.real("beta", 0.75)));
}

void lp_norm(Call& call) {
    const auto x = call.in(0);
    const auto p = call.integer("p", 2);
    const auto axis = axis_of(call.integer("axis", -1), x.dim());
    const auto norm = p == 1 ? x.abs().sum({axis}, true) : at::sqrt((x * x).sum({axis}, true));
    const auto none = norm == 0;
    call.give_like(at::where(none, at::zeros_like(x), x / at::where(none, at::ones_like(norm), norm)));
}

void mean_variance(Call& call) {
    const auto x = call.in(0);
    const auto axes = call.integers("axes", {0, 2, 3});
    const auto mean = at::mean(x, axes, true);
    const auto square = at::mean(x * x, axes, true);
    call.give_like((x - mean) / (at::sqrt(square - mean * mean) + 1e-9));
}

constexpr Operator kNormalisationOperators[] = {
    {"", "BatchNormalization", batch_norm}, {"", "InstanceNormalization", instance_norm},
    {"", "LayerNormalization", layer_norm}, {"", "RMSNormalization", rms_norm},
    {"", "GroupNormalization", group_norm}, {"", "LRN", local_response},
    {"", "LpNormalization", lp_norm},       {"", "MeanVarianceNormalization", mean_variance},
};

}  // namespace

std::span<const Operator> normalisation_operators() {
    return kNormalisationOperators;
}

}  // namespace modelseal::libtorch::onnx
