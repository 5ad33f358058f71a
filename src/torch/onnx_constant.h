// Constants of an ONNX file as values.
#pragma once

#include "formats/onnx_program.h"
#include "model/model.h"
#include "torch/onnx_value.h"

namespace modelseal::onnx {

// `max_bytes` caps what the elements take in memory here.
Result<Value> load_constant(const formats::onnx::Constant& constant, const Model& files,
                            std::uint64_t max_bytes);

}  // namespace modelseal::onnx
