// The operators that are sums of products: what is multiplied, and sums of one term after the other.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

namespace modelseal::libtorch {

// The arguments of a call of an operator.
using Arguments = c10::ArrayRef<c10::IValue>;

// Two arguments that are multiplied, and the dimension of each over which the sum goes, from 0.
struct Factors {
    std::size_t first, second;
    std::int64_t first_dim, second_dim;
    bool whole = true;  // every index of one dimension meets that of the other: not so for groups of channels
};

// Nothing for other operators, and for factors that are not float32.
std::optional<Factors> factors_of(const c10::FunctionSchema& schema, Arguments arguments);

// A convolution of two dimensions, or of one with an extent of 1 put before it.
struct Convolution {
    at::Tensor x, weight,
        bias;  // n x channels x height x width; outputs x channels / groups x 2 extents; undefined: none
    std::vector<std::int64_t> stride, padding, dilation;  // 2 each
    std::int64_t groups = 1;
    bool one_dimension = false;
};
// Nothing for other operators, transposed convolutions, padding by a word, and types other than float32.
std::optional<Convolution> convolution_of(const c10::FunctionSchema& schema, Arguments arguments);

// As the operators compute it, on the CPU, but every sum in float32 from 0 on, one rounded product after the other. Undefined
// for an operator that is neither a convolution nor a matrix product.
at::Tensor one_term_at_a_time(const c10::FunctionSchema& schema, Arguments arguments);

}  // namespace modelseal::libtorch
