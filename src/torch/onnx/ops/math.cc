// Arithmetic, one element at a time.
#include <algorithm>

#include "torch/onnx/ops/shared.h"

namespace modelseal::libtorch::onnx {
namespace {

using Binary = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

// Before opset 7 the second operand was broadcast only with an attribute, from a given axis on.
at::Tensor stretched(const Call& call, const at::Tensor& a, const at::Tensor& b) {
    if (call.opset() >= 7 || call.integer("broadcast", 0) == 0 || !call.given("axis")) return b;
    auto shape = b.sizes().vec();
    const auto axis = axis_of(call.integer("axis", 0), a.dim());
    while (static_cast<std::int64_t>(shape.size()) + axis < a.dim()) shape.push_back(1);
    return b.reshape(shape);
}

template <Binary operation>
void binary(Call& call) {
    const auto a = call.in(0);
    const auto b = stretched(call, a, call.in(1));
    call.check_size(at::infer_size(a.sizes(), b.sizes()));
    call.give_like(wrap(operation(a, b), call.type(0)));
}

at::Tensor add(const at::Tensor& a, const at::Tensor& b) {
    return at::add(a, b);
}

at::Tensor subtract(const at::Tensor& a, const at::Tensor& b) {
    return at::sub(a, b);
}

at::Tensor multiply(const at::Tensor& a, const at::Tensor& b) {
    return at::mul(a, b);
}

// The quotient of the least integer and -1 does not fit, which processors answer with a trap.
at::Tensor divide(const at::Tensor& a, const at::Tensor& b) {
    if (at::isFloatingType(a.scalar_type())) return at::div(a, b);
    if (a.scalar_type() == at::kByte) return at::div(a, b, "trunc");
    const auto negated = b == -1;
    return at::where(negated, -a, at::div(a, at::where(negated, at::ones_like(b), b), "trunc"));
}

void modulo(Call& call) {
    const auto a = call.in(0);
    auto b = call.in(1);
    call.check_size(at::infer_size(a.sizes(), b.sizes()));
    // The remainder by -1 is that by 1, and traps as above.
    if (!is_real(call.type(0)) && b.scalar_type() != at::kByte) b = at::where(b == -1, at::ones_like(b), b);
    call.give_like(call.integer("fmod", 0) != 0 ? at::fmod(a, b) : at::remainder(a, b));
}

void power(Call& call) {
    const auto base = call.in(0);
    const auto exponent = stretched(call, base, call.in(1));
    call.check_size(at::infer_size(base.sizes(), exponent.sizes()));
    const auto type = call.type(0);
    if (!is_real(type) && is_real(call.type(1))) {
        call.give(cast(at::pow(base.to(at::kDouble), exponent), DType::f64, type), type);
    } else if (is_real(type) && exponent.numel() == 1 && exponent.dim() <= base.dim() &&
               exponent.device().is_cpu() && !exponent.requires_grad()) {
        call.give(at::pow(base, exponent.item()), type);  // squares are products
    } else {
        call.give(at::pow(base, exponent).to(base.scalar_type()), type);
    }
}

template <Binary operation>
at::Tensor over_all(const Call& call) {
    auto result = call.in(0);
    for (std::size_t i = 1; i < call.inputs(); ++i) {
        const auto next = call.in(i);
        call.check_size(at::infer_size(result.sizes(), next.sizes()));
        result = operation(result, next);
    }
    return result;
}

void clip(Call& call) {
    auto x = call.in(0);
    if (call.opset() < 11) {
        const auto low = call.real("min", -3.402823466e38);
        x = at::clamp(x, low, call.real("max", 3.402823466e38));
        return low == 0 ? call.give_rectified(x) : call.give_like(x);
    }
    const bool real = is_real(call.type(0));
    if (call.has(1)) x = real ? at::clamp_min(x, call.real_in(1)) : at::maximum(x, call.in(1));
    if (call.has(2)) x = real ? at::clamp_max(x, call.real_in(2)) : at::minimum(x, call.in(2));
    const bool rectifies = real && call.has(1) && call.real_in(1) == 0;
    rectifies ? call.give_rectified(x) : call.give_like(x);
}

// An exclusive sum or product begins with `neutral` and leaves out the last element.
template <at::Tensor (*operation)(const at::Tensor&, std::int64_t, c10::optional<at::ScalarType>), int neutral>
void cumulative(Call& call) {
    auto x = call.in(0);
    const auto axis = axis_of(call.integer_in(1), x.dim());
    const bool reverse = call.integer("reverse", 0) != 0;
    if (reverse) x = x.flip({axis});
    auto result = operation(x, axis, x.scalar_type());
    if (call.integer("exclusive", 0) != 0 && x.size(axis) > 0) {
        auto shape = x.sizes().vec();
        shape[static_cast<std::size_t>(axis)] = 1;
        result =
            at::cat({at::full(shape, neutral, x.options()), result.narrow(axis, 0, x.size(axis) - 1)}, axis);
    }
    call.give_like(reverse ? result.flip({axis}) : result);
}

// Bits that are shifted out are lost, whatever the distance; a distance below 0 shifts out all of them. Integers
// of other engines may be narrower than those these are computed in.
void bit_shift(Call& call) {
    const auto type = call.type(0);
    const auto a = call.in(0).to(at::kLong), by = call.in(1).to(at::kLong);
    call.check_size(at::infer_size(a.sizes(), by.sizes()));
    const auto bits = static_cast<std::int64_t>(bits_of(type));
    const auto far = (by < 0) | (by >= bits);
    const auto within = at::where(far, at::full_like(by, bits - 1), by);
    auto shifted = at::Tensor();
    if (call.text("direction", "") == "LEFT") {
        shifted = at::bitwise_left_shift(a, within).masked_fill(far, 0);
    } else {
        shifted = at::bitwise_right_shift(a, within);
        if (type == DType::u64) {  // its highest bit is not a sign
            const auto kept = at::bitwise_left_shift(at::full_like(within, -1), (64 - within).clamp_max(63));
            shifted = at::where(within > 0, at::bitwise_and(shifted, at::bitwise_not(kept)), shifted);
        }
        if (is_unsigned(type)) shifted = shifted.masked_fill(far, 0);
    }
    call.give_like(wrap(shifted, type).to(computed_in(type)));
}

void bitwise_not(Call& call) {
    call.give_like(wrap(at::bitwise_not(call.in(0)), call.type(0)));
}

constexpr Operator kMathOperators[] = {
    {"", "Add", binary<add>},
    {"", "Sub", binary<subtract>},
    {"", "Mul", binary<multiply>},
    {"", "Div", binary<divide>},
    {"", "Mod", modulo},
    {"", "Pow", power},
    {"", "Neg", unary<at::neg>},
    {"", "Abs", unary<at::abs>},
    {"", "Sign", unary<at::sign>},
    {"", "Ceil", unary<at::ceil>},
    {"", "Floor", unary<at::floor>},
    {"", "Round", unary<at::round>},
    {"", "Sqrt", unary<at::sqrt>},
    {"", "Reciprocal", unary<at::reciprocal>},
    {"", "Exp", unary<at::exp>},
    {"", "Log", unary<at::log>},
    {"", "Sin", unary<at::sin>},
    {"", "Cos", unary<at::cos>},
    {"", "Tan", unary<at::tan>},
    {"", "Asin", unary<at::asin>},
    {"", "Acos", unary<at::acos>},
    {"", "Atan", unary<at::atan>},
    {"", "Sinh", unary<at::sinh>},
    {"", "Cosh", unary<at::cosh>},
    {"", "Tanh", unary<at::tanh>},
    {"", "Asinh", unary<at::asinh>},
    {"", "Acosh", unary<at::acosh>},
    {"", "Atanh", unary<at::atanh>},
    {"", "Erf", unary<at::erf>},
    {"", "Max", [](Call& call) { call.give_like(over_all<at::maximum>(call)); }},
    {"", "Min", [](Call& call) { call.give_like(over_all<at::minimum>(call)); }},
    {"", "Sum", [](Call& call) { call.give_like(over_all<add>(call)); }},
    {"", "Mean", [](Call& call) { call.give_like(over_all<add>(call) / static_cast<double>(call.inputs())); }},
    {"", "Clip", clip},
    {"", "CumSum", cumulative<at::cumsum, 0>},
    {"", "CumProd", cumulative<at::cumprod, 1>},
    {"", "BitShift", bit_shift},
    {"", "BitwiseAnd", binary<at::bitwise_and>},
    {"", "BitwiseOr", binary<at::bitwise_or>},
    {"", "BitwiseXor", binary<at::bitwise_xor>},
    {"", "BitwiseNot", bitwise_not},
};

}  // namespace

std::span<const Operator> math_operators() {
    return kMathOperators;
}

// Products of matrices.

namespace {

// For products of a column and a row, which are larger than both.
void check_product(const Call& call, const at::Tensor& a, const at::Tensor& b) {
    if (a.dim() >= 2 && b.dim() >= 2) call.check_size({a.size(-2), b.size(-1)});
}

void matmul(Call& call) {
    check_product(call, call.in(0), call.in(1));
    call.give_like(wrap(at::matmul(call.in(0), call.in(1)), call.type(0)));
}

// As at::linear where it is one, so that the same kernel runs as in TorchScript.
void gemm(Call& call) {
    auto a = call.in(0);
    auto b = call.in(1);
    const auto alpha = call.real("alpha", 1);
    const auto beta = call.real("beta", 1);
    const bool transposed = call.integer("transB", 0) != 0;
    if (call.integer("transA", 0) != 0) a = a.t();
    const auto c = call.has(2) ? call.in(2) : at::Tensor();
    const bool real = is_real(call.type(0));
    if (real && alpha == 1 && beta == 1 && a.dim() == 2 && b.dim() == 2 && (!c.defined() || c.dim() == 1) &&
        (!c.defined() || c.size(0) == b.size(transposed ? 0 : 1))) {
        return call.give_like(
            at::linear(a, transposed ? b : b.t(), c.defined() ? c10::optional<at::Tensor>(c) : c10::nullopt));
    }
    if (transposed) b = b.t();
    check_product(call, a, b);
    auto product = at::matmul(a, b);
    if (alpha != 1)
        product = real ? product * alpha : (product.to(at::kDouble) * alpha).to(product.scalar_type());
    if (c.defined())
        product = product + (beta == 1 ? c : real ? c * beta : (c.to(at::kDouble) * beta).to(c.scalar_type()));
    call.give_like(wrap(product, call.type(0)));
}

void einsum(Call& call) {
    auto equation = call.text("equation", "");
    std::erase(equation, ' ');
    std::vector<at::Tensor> operands;
    for (std::size_t i = 0; i < call.inputs(); ++i) operands.push_back(call.in(i));
    call.give_like(at::einsum(equation, operands));
}

constexpr Operator kMatrixOperators[] = {
    {"", "MatMul", matmul},
    {"", "Gemm", gemm},
    {"", "Einsum", einsum},
    {"", "Det", [](Call& call) { call.give_like(at::det(call.in(0))); }},
};

}  // namespace

std::span<const Operator> matrix_operators() {
    return kMatrixOperators;
}

}  // namespace modelseal::libtorch::onnx
