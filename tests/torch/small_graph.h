// ONNX graphs of a few nodes, built field by field and opened from memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/models/onnx_builder.h"
#include "torch/onnx/interpreter.h"

namespace modelseal::test {

namespace onnx {

// The data of a tensor: these floats, or `count` of both signs, none near a kink.
std::string floats(std::initializer_list<float> numbers);
std::string some_floats(int count);

// Constants of the graph.
Proto weights(std::string_view name, std::initializer_list<std::uint64_t> dims);
Proto integers(std::string_view name, std::initializer_list<std::uint64_t> numbers);

// Attributes.
Proto integer(std::string_view name, std::uint64_t value);
Proto real(std::string_view name, float value);
Proto list(std::string_view name, std::initializer_list<std::uint64_t> values);
Proto text(std::string_view name, std::string_view value);

// Without a name: messages call it by its output.
Proto node(std::string_view op, const std::vector<const char*>& inputs, const char* output,
           const std::vector<Proto>& attributes = {}, const char* domain = "");

}  // namespace onnx

struct Family {
    const char* name;
    std::vector<std::int64_t> shape;  // of the input x; the output is y
    std::vector<Proto> nodes;
    std::vector<Proto> constants;
};

// The file of such a graph, of opset 27 and ai.onnx.ml 4.
std::vector<std::byte> file_of(const Family& family);

// `bytes` must outlive the result. Null, and a failure of the test, if it cannot be opened.
std::unique_ptr<libtorch::onnx::Interpreter> open(const Family& family, std::vector<std::byte>& bytes);

// The same without a failure of the test.
Result<std::unique_ptr<libtorch::onnx::Interpreter>> try_open(const std::vector<std::byte>& bytes);

}  // namespace modelseal::test
