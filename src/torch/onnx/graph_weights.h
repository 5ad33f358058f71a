// The weights of an ONNX graph while they are trained, and the way back into the file.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/onnx/rewrite.h"
#include "torch/onnx/interpreter.h"
#include "torch/training.h"

namespace modelseal::libtorch::onnx {

using Shapes = std::vector<std::vector<std::int64_t>>;  // of a graph's outputs; empty for other than tensors

class GraphWeights {
  public:
    // Call once. From then on the graph's constants keep their tensors. `unsupported` for quantized weights.
    static Result<std::vector<Weight>> collect(Interpreter& interpreter);

    // As ModuleNetwork's. Constant shapes of Reshape, on the way from the weights `names` to the outputs, that
    // state the number of classes once get one more. `before`: outputs of the last run. Throws Refused.
    void adapt(Interpreter& interpreter, const std::set<std::string>& names, std::size_t classes,
               Shapes before);
    void unadapt(Interpreter& interpreter);
    void adapted(Interpreter& interpreter, const Shapes& after);

    // The file with the changed weights, each in its own type.
    Result<std::vector<std::byte>> file(Interpreter& interpreter, const std::vector<Weight>& weights) const;

  private:
    formats::onnx::Changes changes_;            // for all of adapted()
    std::set<std::string> affected_;            // values, since adapt()
    std::map<std::string, at::Tensor> shapes_;  // constants that adapt() changed, as they were
    Shapes before_;
};

}  // namespace modelseal::libtorch::onnx
