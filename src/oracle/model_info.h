// A server's metadata about a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "oracle/output_tensor.h"

namespace modelseal::oracle {

struct TensorInfo {
    std::string name;
    std::string datatype;             // as the Open Inference Protocol calls them: FP32, INT64, ...
    std::vector<std::int64_t> shape;  // with the batch dimension; -1: any extent; empty: unknown
};

struct ModelInfo {
    std::vector<TensorInfo> inputs, outputs;  // none: unknown
};

NumberKind kind_of(std::string_view datatype);

// The only input, or the assumption for a server without metadata about it. Error `unsupported` for several
// inputs and for types other than FP32 and FP64.
Result<TensorInfo> sole_input(const ModelInfo& model, const InputShape& expected, const std::string& source);

// The name of the output to use, so that no others are sent; empty if nothing is known about them.
Result<std::string> sole_output(const ModelInfo& model, const std::string& wanted, const std::string& source);

// `expected`, completed with the other side's metadata. Error `mismatch` for another shape. `batch`: the
// fixed batch dimension, or 0.
Result<InputShape> agree(const InputShape& expected, const TensorInfo& info, const std::string& source,
                         std::size_t& batch);

}  // namespace modelseal::oracle
