// Test cases as the ONNX project lays them out: a model, and folders of inputs with the outputs that are
// expected.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "torch/onnx/interpreter.h"

namespace modelseal::test {

// A TensorProto, SequenceProto or OptionalProto, depending on `kind`. Throws std::runtime_error.
libtorch::onnx::Value read_value(const std::filesystem::path& path, formats::onnx::ValueKind kind);

// Empty if both are the same within the tolerances, else what differs first. `slack` is an absolute difference
// that is let pass besides.
std::string difference(const libtorch::onnx::Value& got, const libtorch::onnx::Value& expected,
                       double slack = 0);

struct Outcome {
    enum class Kind { passed, unsupported, failed } kind = Kind::passed;
    std::string reason;
};

// Runs all data sets of the case.
Outcome run_case(const std::filesystem::path& folder, double slack = 0);

}  // namespace modelseal::test
