// Products of integers, exactly: the sums that every engine that computes in integers gets, whatever their order.
#pragma once

#include <ATen/core/Tensor.h>

#include "torch/onnx/ops/shared.h"

namespace modelseal::libtorch::onnx {

// `x` and `w`: integers in float32, none of `x` larger than `largest`. In float32 as far as no sum can exceed 2^24, in float64
// beyond that, and for gradients. The result is of either type, and what the arithmetic of a runtime does to floats
// (arithmetic.h) is not done to it. Padding is zeros.
at::Tensor exact_convolution(const at::Tensor& x, const at::Tensor& w, double largest, const Window& window,
                             std::int64_t groups);
at::Tensor exact_matmul(const at::Tensor& a, const at::Tensor& b, double largest);

}  // namespace modelseal::libtorch::onnx
