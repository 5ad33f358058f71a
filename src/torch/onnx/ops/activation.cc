// Activations, and softmax in its variants.
#include <numeric>

#include "torch/onnx/ops/shared.h"

namespace modelseal::libtorch::onnx {

namespace {

void leaky_relu(Call& call) {
    call.give_rectified(at::leaky_relu(call.in(0), call.real("alpha", 0.01)));
}

void prelu(Call& call) {
    const auto x = call.in(0);
    auto slope = call.in(1);
    if (call.opset() < 7 && slope.dim() == 1 && x.dim() > 2) {
        Ints shape(static_cast<std::size_t>(x.dim() - 1), 1);
        shape[0] = slope.numel();
        slope = slope.reshape(shape);
    }
    call.give_rectified(at::where(x < 0, x * slope, x));
}

void elu(Call& call) {
    call.give_like(at::elu(call.in(0), call.real("alpha", 1)));
}

void selu(Call& call) {
    const auto old = call.opset() < 6;
    const auto alpha = call.real("alpha", old ? 1.6732 : 1.67326319217681884765625);
    const auto gamma = call.real("gamma", old ? 1.0507 : 1.05070102214813232421875);
    call.give_like(at::elu(call.in(0), alpha, gamma));
}

void celu(Call& call) {
    call.give_like(at::celu(call.in(0), call.real("alpha", 1)));
}

void hard_sigmoid(Call& call) {
    call.give_like(at::clamp(call.in(0) * call.real("alpha", 0.2) + call.real("beta", 0.5), 0, 1));
}

void hard_swish(Call& call) {
    const auto x = call.in(0);
    call.give_like(x * at::clamp(x / 6 + 0.5, 0, 1));
}

void thresholded_relu(Call& call) {
    const auto x = call.in(0);
    call.give_rectified(at::where(x > call.real("alpha", 1), x, at::zeros_like(x)));
}

void shrink(Call& call) {
    const auto x = call.in(0);
    const auto bias = call.real("bias", 0);
    const auto lambda = call.real("lambd", 0.5);
    const auto shrunk = at::where(x < -lambda, x + bias, at::where(x > lambda, x - bias, at::zeros_like(x)));
    call.give_like(shrunk.to(x.scalar_type()));
}

void gelu(Call& call) {
    call.give_like(at::gelu(call.in(0), call.text("approximate", "none")));
}

void swish(Call& call) {
    const auto x = call.in(0);
    const auto alpha = call.real("alpha", 1);
    call.give_like(alpha == 1 ? at::silu(x) : x * at::sigmoid(x * alpha));
}

// Before opset 13 all dimensions from the axis on were combined.
template <at::Tensor (*operation)(const at::Tensor&, std::int64_t)>
void along_axis(Call& call) {
    const auto x = call.in(0);
    const bool old = call.opset() < 13;
    const auto axis = axis_of(call.integer("axis", old ? 1 : -1), x.dim());
    if (!old) return call.give_like(operation(x, axis));
    const auto front = x.sizes().slice(0, static_cast<std::size_t>(axis));
    const auto rows = std::accumulate(front.begin(), front.end(), std::int64_t{1}, std::multiplies<>());
    if (x.numel() == 0) return call.give_like(x);
    call.give_like(operation(x.reshape({rows, -1}), 1).reshape(x.sizes()));
}

at::Tensor softmax(const at::Tensor& x, std::int64_t axis) {
    return at::softmax(x, axis);
}

at::Tensor log_softmax(const at::Tensor& x, std::int64_t axis) {
    return at::log_softmax(x, axis);
}

// One where the first largest is.
at::Tensor hardmax(const at::Tensor& x, std::int64_t axis) {
    return at::zeros_like(x).scatter(axis, at::argmax(x, axis, true), 1);
}

void swiglu(Call& call) {
    const auto gate = call.in(0);
    const auto alpha = call.real("alpha", 1);
    call.give_like((alpha == 1 ? at::silu(gate) : gate * at::sigmoid(gate * alpha)) * call.in(1));
}

constexpr Operator kActivationOperators[] = {
    {"", "Relu", [](Call& call) { call.give_rectified(at::relu(call.in(0))); }},
    {"", "LeakyRelu", leaky_relu},
    {"", "PRelu", prelu},
    {"", "Elu", elu},
    {"", "Selu", selu},
    {"", "Celu", celu},
    {"", "Sigmoid", unary<at::sigmoid>},
    {"", "HardSigmoid", hard_sigmoid},
    {"", "HardSwish", hard_swish},
    {"", "Mish", unary<at::mish>},
    {"", "Softplus", [](Call& call) { call.give_like(at::softplus(call.in(0))); }},
    {"", "Softsign",
     [](Call& call) {
         const auto x = call.in(0);
         call.give_like(x / (1 + x.abs()));
     }},
    {"", "ThresholdedRelu", thresholded_relu},
    {"", "Shrink", shrink},
    {"", "Gelu", gelu},
    {"", "Swish", swish},
    {"", "SwiGLU", swiglu},
    {"", "Softmax", along_axis<softmax>},
    {"", "LogSoftmax", along_axis<log_softmax>},
    {"", "Hardmax", along_axis<hardmax>},
};

}  // namespace

std::span<const Operator> activation_operators() {
    return kActivationOperators;
}

}  // namespace modelseal::libtorch::onnx
