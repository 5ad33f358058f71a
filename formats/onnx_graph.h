// The walk over everything in an ONNX model that can hold tensors.
#pragma once

#include "formats/onnx_tensor.h"

namespace modelseal::formats::onnx {

// Walks a whole ModelProto and gives each tensor to walk.out. Malformed without ir_version and graph.
Result<void> walk_model(Walk& walk, protobuf::Range message);

}  // namespace modelseal::formats::onnx
