// ONNX files: a network that our own importer runs on LibTorch.
#pragma once

#include "oracle/network.h"

namespace modelseal::oracle {

// Errors as for open_network(); call within guarded().
Result<std::unique_ptr<Network>> open_onnx(const std::string& path, const NetworkOptions& options);

}  // namespace modelseal::oracle
