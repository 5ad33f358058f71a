// The inputs of a network that has several, from one row of numbers.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "oracle/oracle.h"
#include <modelseal/result.h>

namespace modelseal::libtorch {

// The row of such a network: as many numbers from 0 to 1 as the parts have that are not fixed. Errors: `usage` unless `parts` are
// `names`, each once, in any order; for a shape that is none, or too large; for an empty range.
Result<oracle::InputShape> row_of_parts(std::string_view network, const std::vector<std::string>& names,
                                        const std::vector<InputPart>& parts);

// Each part in its own shape and range, float32, differentiable; in the order of `shape.parts`. `row`: 1 x numbers.
std::vector<at::Tensor> parts_of(const at::Tensor& row, const oracle::InputShape& shape);

}  // namespace modelseal::libtorch
