#include "torch/arithmetic/rounding.h"

#include <ATen/ATen.h>

namespace modelseal::libtorch {

std::optional<at::ScalarType> narrow_type(oracle::Arithmetic arithmetic) {
    if (arithmetic == oracle::Arithmetic::half) return at::kHalf;
    if (arithmetic == oracle::Arithmetic::bfloat16) return at::kBFloat16;
    return std::nullopt;
}

at::Tensor rounded_to(at::ScalarType type, const at::Tensor& tensor) {
    return tensor.scalar_type() == at::kFloat ? tensor.to(type).to(at::kFloat) : tensor;
}

at::Tensor rounded_to_tf32(const at::Tensor& tensor) {
    if (tensor.scalar_type() != at::kFloat) return tensor;
    constexpr int kDropped = 13;  // of the 23 bits of mantissa
    const auto bits = tensor.contiguous().view(at::kInt);
    const auto odd = at::bitwise_and(at::bitwise_right_shift(bits, kDropped), 1);
    const auto up = bits + odd + ((1 << (kDropped - 1)) - 1);
    return at::bitwise_and(up, ~((1 << kDropped) - 1)).view(at::kFloat);
}

at::Tensor off_by_half_a_unit(const at::Tensor& tensor, at::Generator random) {
    const auto share = at::rand(tensor.sizes(), random, at::TensorOptions(at::kDouble)) * 2 - 1;
    return (tensor.to(at::kDouble) * (share.to(tensor.device()) * 0x1p-24 + 1)).to(at::kFloat);
}

}  // namespace modelseal::libtorch
