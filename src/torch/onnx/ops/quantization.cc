// Changes of type, and Dropout, which changes nothing when a network is used.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "formats/onnx/schema.h"
#include "torch/onnx/call.h"
#include "torch/onnx/ops/exact_products.h"
#include "torch/onnx/ops/shared.h"

namespace modelseal::libtorch::onnx {
namespace {

DType target_type(const Call& call) {
    const auto number = call.integer("to", 0);
    const auto type = formats::onnx::element_type(static_cast<std::uint64_t>(number));
    if (!type || !type->dtype) unsupported("a cast to text");
    return *type->dtype;
}

void give_cast(Call& call, DType to) {
    if (call.value(0).kind == Value::Kind::text) unsupported("a cast of text");
    const auto& smooth = call.value(0).smooth;
    if (smooth.defined() && is_real(to)) return call.give(cast(smooth, DType::f32, to), to);
    Value made(cast(call.in(0), call.type(0), to, call.integer("saturate", 1) != 0), to);
    made.smooth = smooth;  // the same number, unless it was cut off
    call.give(std::move(made));
}

// The type of LibTorch that has the bits of `type`.
at::ScalarType stored_in(DType type) {
    switch (type) {
        case DType::u16:
            return at::kShort;
        case DType::u32:
            return at::kInt;
        case DType::f16:
            return at::kHalf;
        case DType::bf16:
            return at::kBFloat16;
        default:
            if (bits_of(type) < 8 || (is_real(type) && type != DType::f32 && type != DType::f64))
                unsupported(fmt::format("the bits of {}", info(type).name));
            return computed_in(type);
    }
}

// The same bits as another type of the same size.
void bit_cast(Call& call) {
    const auto from = call.type(0), to = target_type(call);
    require(bits_of(from) == bits_of(to), "the types have different sizes");
    const auto bits = call.in(0).to(stored_in(from)).contiguous().view(stored_in(to));
    call.give(wrap(bits.to(computed_in(to)), to), to);
}

void dropout(Call& call) {
    bool training = false;
    double ratio = call.real("ratio", 0.5);
    if (call.opset() >= 12) {
        if (call.has(1)) ratio = call.real_in(1);
        training = call.has(2) && call.real_in(2) != 0;
    } else if (call.opset() < 7) {
        training = call.integer("is_test", 0) == 0 && call.opset() < 7 && call.wants(1);
    }
    if (training && ratio != 0) unsupported("random answers");
    call.give(call.value(0));
    call.give(at::ones_like(call.in(0), at::TensorOptions(at::kBool)));
}

constexpr Operator kCastOperators[] = {
    {"", "Cast", [](Call& call) { give_cast(call, target_type(call)); }},
    {"", "CastLike",
     [](Call& call) {
         if (call.value(1).kind == Value::Kind::text) unsupported("a cast to text");
         give_cast(call, call.type(1));
     }},
    {"", "BitCast", bit_cast},
    {"", "Dropout", dropout},
};

}  // namespace

std::span<const Operator> cast_operators() {
    return kCastOperators;
}

// Quantized numbers. The integers are exact; Value::smooth has the same numbers in float32, so that a
// gradient passes as if nothing had been rounded, except where a number was clipped.

namespace {

// One scale for all, for each place of the axis, or for blocks along the axis: stretched_scale over `x`.
at::Tensor stretched_scale(const Call& call, const at::Tensor& factor, const at::Tensor& x) {
    if (factor.numel() == 1) return factor.reshape({});
    const auto axis = axis_of(call.integer("axis", 1), x.dim());
    const auto block = call.integer("block_size", 0);
    if (factor.dim() == 1 && block == 0) {
        require(factor.numel() == x.size(axis), "a scale for each place of the axis");
        Ints shape(static_cast<std::size_t>(x.dim()), 1);
        shape[static_cast<std::size_t>(axis)] = -1;
        return factor.reshape(shape);
    }
    require(factor.dim() == x.dim() && factor.size(axis) > 0, "scales do not match the input");
    const auto each = block > 0 ? block : (x.size(axis) + factor.size(axis) - 1) / factor.size(axis);
    require(factor.size(axis) == (x.size(axis) + each - 1) / each, "scales do not match the blocks");
    return factor.repeat_interleave(each, axis).narrow(axis, 0, x.size(axis));
}

std::pair<double, double> range_of(DType type) {
    const auto bits = static_cast<int>(bits_of(type));
    if (is_unsigned(type) || type == DType::u4 || type == DType::u2) return {0, std::ldexp(1, bits) - 1};
    return {-std::ldexp(1, bits - 1), std::ldexp(1, bits - 1) - 1};
}

// A tensor of integers in a type of real numbers, with the gradient that came with it.
at::Tensor numbers(const Call& call, std::size_t input, at::ScalarType type = at::kFloat) {
    const auto& value = call.value(input);
    return (value.smooth.defined() ? value.smooth : call.in(input)).to(call.device(), type);
}

// The quantized value is real, divided by its scale, without zero point.
Value quantised(const at::Tensor& real, const at::Tensor& zero, DType type) {
    const auto [low, high] = range_of(type);
    const auto exact = at::clamp(at::round(real.detach()) + zero, low, high);
    Value made(exact.to(computed_in(type)), type);
    if (real.requires_grad()) {
        made.smooth = straight_through(exact.to(at::kFloat), at::clamp(real + zero, low, high).to(at::kFloat));
    }
    return made;
}

DType output_type(const Call& call, std::size_t zero, DType otherwise) {
    if (call.has(zero)) return call.type(zero);
    const auto number = call.integer("output_dtype", 0);
    if (number == 0) return otherwise;
    const auto type = formats::onnx::element_type(static_cast<std::uint64_t>(number));
    if (!type || !type->dtype) unsupported("an output that is not a number");
    return *type->dtype;
}

void quantize(Call& call) {
    const auto x = numbers(call, 0);
    const auto scale = stretched_scale(call, call.in(1), x);
    const auto type = output_type(call, 2, DType::u8);
    const auto divided = x / scale;
    if (is_real(type))
        return call.give(cast(divided, DType::f32, type, call.integer("saturate", 1) != 0), type);
    const auto zero =
        call.has(2) ? stretched_scale(call, call.in(2).to(at::kFloat), x) : at::zeros({}, x.options());
    call.give(quantised(divided, zero, type));
}

void dequantize(Call& call) {
    const auto type = call.integer("output_dtype", 0) != 0 ? output_type(call, 99, DType::f32) : call.type(1);
    at::Tensor x;
    if (is_real(call.type(0)) || call.value(0).smooth.defined()) {
        x = numbers(call, 0);
        if (call.has(2)) x = x - stretched_scale(call, numbers(call, 2), x);
    } else {
        const auto wide = bits_of(call.type(0)) > 16 ? at::kLong : at::kFloat;  // 32 bits do not fit float32
        auto whole = call.in(0).to(wide);
        if (call.has(2)) whole = whole - stretched_scale(call, call.in(2).to(wide), whole);
        x = whole.to(at::kFloat);
    }
    call.give(x * stretched_scale(call, call.in(1).to(at::kFloat), x), type);
}

void dynamic_quantize(Call& call) {
    const auto x = call.in(0);
    const auto least = at::clamp_max(x.detach().min(), 0), most = at::clamp_min(x.detach().max(), 0);
    const auto scale = (most - least) / 255;
    const auto zero = at::clamp(at::round(-least / scale), 0, 255);
    call.give(quantised(x / scale, zero, DType::u8));
    call.give(scale);
    call.give(zero.to(at::kByte));
}

// Zero points and scales of weights: one for all, or for each output.
at::Tensor for_outputs(const at::Tensor& factor, std::int64_t rank) {
    if (factor.numel() == 1) return factor.reshape({});
    Ints shape(static_cast<std::size_t>(rank), 1);
    shape[0] = -1;
    return factor.reshape(shape);
}

// The largest difference of a number of a type to its zero points.
double largest_from(const Call& call, std::size_t input, std::size_t zero) {
    const auto [low, high] = range_of(call.type(input));
    if (!call.has(zero)) return std::max(-low, high);
    const auto zeros = numbers(call, zero).detach();
    return std::max(zeros.max().item<double>() - low, high - zeros.min().item<double>());
}

at::Tensor integer_conv(const Call& call, std::size_t x_at, std::size_t x_zero, std::size_t w_at,
                        std::size_t w_zero) {
    auto x = numbers(call, x_at), w = numbers(call, w_at);
    require(x.dim() >= 3 && x.dim() <= 5 && w.dim() == x.dim(),
            "a convolution over 1 to 3 dimensions is supported");
    if (call.has(x_zero)) x = x - numbers(call, x_zero).reshape({});
    if (call.has(w_zero)) w = w - for_outputs(numbers(call, w_zero), w.dim());
    const auto window = window_of(call, x.sizes(), w.sizes().slice(2).vec());
    return exact_convolution(x, w, largest_from(call, x_at, x_zero), window, call.integer("group", 1));
}

// Along the rows of a or the columns of b.
at::Tensor side(const at::Tensor& factor, std::int64_t axis) {
    if (factor.numel() == 1) return factor.reshape({});
    return factor.dim() == 1 ? factor.unsqueeze(axis == 1 ? 1 : 0) : factor;
}

at::Tensor integer_matmul(const Call& call, std::size_t a_at, std::size_t a_zero, std::size_t b_at,
                          std::size_t b_zero) {
    auto a = numbers(call, a_at), b = numbers(call, b_at);
    if (call.has(a_zero)) a = a - side(numbers(call, a_zero), 1);
    if (call.has(b_zero)) b = b - side(numbers(call, b_zero), 0);
    return exact_matmul(a, b, largest_from(call, a_at, a_zero));
}

// The product of the scales is rounded to float32 first, as engines do.
void qlinear_conv(Call& call) {
    auto sum = integer_conv(call, 0, 2, 3, 5);
    Ints shape(static_cast<std::size_t>(sum.dim()), 1);
    shape[1] = -1;
    if (call.has(8)) sum = sum + numbers(call, 8, at::kDouble).reshape(shape);
    auto scale = call.in(1).reshape({}) * call.in(4) / call.in(6).reshape({});
    scale = scale.numel() == 1 ? scale.reshape({}) : scale.reshape(shape);
    call.give(quantised(sum.to(at::kFloat) * scale, call.in(7).to(at::kFloat).reshape({}), call.type(7)));
}

void qlinear_matmul(Call& call) {
    const auto sum = integer_matmul(call, 0, 2, 3, 5).to(at::kFloat);
    const auto scale = side(call.in(1), 1) * side(call.in(4), 0) / call.in(6);
    call.give(quantised(sum * scale, call.in(7).to(at::kFloat), call.type(7)));
}

at::Tensor real_of(const Call& call, std::size_t first) {
    auto x = numbers(call, first);
    if (call.has(first + 2)) x = x - numbers(call, first + 2).reshape({});
    return x * call.in(first + 1).reshape({});
}

// com.microsoft: scale and zero point of the result after those of the operands.
Value requantised(const Call& call, const at::Tensor& real, std::size_t scale) {
    const auto zero =
        call.has(scale + 1) ? call.in(scale + 1).to(at::kFloat).reshape({}) : at::zeros({}, real.options());
    return quantised(real / call.in(scale).reshape({}), zero, call.type(0));
}

void qlinear_pool(Call& call) {
    const auto x = real_of(call, 0);
    if (call.integer("channels_last", 0) != 0) unsupported("channels last");
    Ints axes;
    for (std::int64_t axis = 2; axis < x.dim(); ++axis) axes.push_back(axis);
    require(!axes.empty(), "the input has no spatial dimensions");
    call.give(requantised(call, at::mean(x, axes, true), 3));
}

constexpr Operator kQuantiseOperators[] = {
    {"", "QuantizeLinear", quantize},
    {"", "DequantizeLinear", dequantize},
    {"", "DynamicQuantizeLinear", dynamic_quantize},
    {"", "ConvInteger",
     [](Call& call) { call.give(at::round(integer_conv(call, 0, 2, 1, 3).detach()).to(at::kInt)); }},
    {"", "MatMulInteger",
     [](Call& call) { call.give(at::round(integer_matmul(call, 0, 2, 1, 3).detach()).to(at::kInt)); }},
    {"", "QLinearConv", qlinear_conv},
    {"", "QLinearMatMul", qlinear_matmul},
    {"com.microsoft", "QLinearAdd",
     [](Call& call) { call.give(requantised(call, real_of(call, 0) + real_of(call, 3), 6)); }},
    {"com.microsoft", "QLinearMul",
     [](Call& call) { call.give(requantised(call, real_of(call, 0) * real_of(call, 3), 6)); }},
    {"com.microsoft", "QLinearSigmoid",
     [](Call& call) { call.give(requantised(call, at::sigmoid(real_of(call, 0)), 3)); }},
    {"com.microsoft", "QLinearGlobalAveragePool", qlinear_pool},
    {"com.microsoft", "QuantizeLinear", quantize},
    {"com.microsoft", "DequantizeLinear", dequantize},
};

}  // namespace

std::span<const Operator> quantise_operators() {
    return kQuantiseOperators;
}

}  // namespace modelseal::libtorch::onnx
