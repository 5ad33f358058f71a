// Values as narrower types hold them, and as one rounding more leaves them.
#pragma once

#include <optional>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "oracle/arithmetic.h"

namespace modelseal::libtorch {

inline constexpr std::uint64_t kSeed = 1;  // of everything that is random in an arithmetic

// float16 or bfloat16 if operators round to it.
std::optional<at::ScalarType> narrow_type(oracle::Arithmetic arithmetic);

// float32 tensors, to the nearest values that the type has; other tensors as they are.
at::Tensor rounded_to(at::ScalarType type, const at::Tensor& tensor);
at::Tensor rounded_to_tf32(const at::Tensor& tensor);  // 10 bits of mantissa, ties to even

// Each element of a float32 tensor off by up to 2^-24 of itself, uniformly, and rounded again: itself or a neighbor.
at::Tensor off_by_half_a_unit(const at::Tensor& tensor, at::Generator random);

}  // namespace modelseal::libtorch
