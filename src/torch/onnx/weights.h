// Which constants of a graph are weights: found by the operators that use them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "formats/onnx/program.h"

namespace modelseal::libtorch::onnx {

// The constants of the main graph by the name of their value: initializers, and tensors of Constant nodes.
std::map<std::string, const formats::onnx::Constant*> constants_of(const formats::onnx::Graph& graph);

// True for float32, float64, float16 and bfloat16, which can be trained and written again.
bool is_trainable(const formats::onnx::Constant& constant);

struct Weights {
    // Constants that are the weights or biases of convolutions and products, a bias that is added after one,
    // scale and shift of normalizations, slopes of PRelu; directly, or by way of operators that only move
    // elements or convert them to another real type.
    std::set<std::string> trained;
    // A constant that is quantized or of integers, where a weight is expected; or an operator on such weights.
    std::optional<std::string> quantized;
};
Weights weights_of(const formats::onnx::Graph& graph);

// These values, and every one that is computed from them.
std::set<std::string> values_after(const formats::onnx::Graph& graph, std::set<std::string> names);

}  // namespace modelseal::libtorch::onnx
