// Operators that know text as well as numbers.
#pragma once

#include "torch/onnx_call.h"

namespace modelseal::onnx {

void equal_texts(Call& call);

// The texts of an input, stretched to `shape`.
std::vector<std::string> stretched_texts(const Value& value, at::IntArrayRef shape);

}  // namespace modelseal::onnx
