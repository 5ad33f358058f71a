// ONNX files: a network that our own importer runs on LibTorch.
#pragma once

#include "oracle/network.h"

namespace modelseal::oracle {

// `files`: the graph first, then the files of its external data by their paths. Errors as for open_network();
// call within guarded().
Result<std::unique_ptr<Network>> open_onnx(Model files, const NetworkOptions& options);

}  // namespace modelseal::oracle
