// Products of matrices.
#include <algorithm>

#include "torch/onnx_call.h"

namespace modelseal::onnx {

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

}  // namespace modelseal::onnx
