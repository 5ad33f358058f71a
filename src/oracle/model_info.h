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
// inputs and for types other than those of is_input_type().
Result<TensorInfo> sole_input(const ModelInfo& model, const InputShape& expected, const std::string& source);

// The name of the output to use, so that no others are sent; empty if nothing is known about them.
Result<std::string> sole_output(const ModelInfo& model, const std::string& wanted, const std::string& source);

// How many inputs a request has.
struct BatchRule {
    std::size_t fixed = 0;  // exactly so many; 0: any number
    bool dimension = true;  // shapes begin with it; without one, `fixed` is 1
};

// `expected`, completed with the other side's metadata. Error `mismatch` for another shape.
Result<InputShape> agree(const InputShape& expected, const TensorInfo& info, const std::string& source,
                         BatchRule& batch);

// The shape of a request of `count` inputs.
std::vector<std::int64_t> shape_of(std::size_t count, const InputShape& input, const BatchRule& batch);

// An answer without a batch dimension gets one, of 1.
void add_batch_dimension(std::vector<OutputTensor>& tensors, const BatchRule& batch);

}  // namespace modelseal::oracle
