// What is asked of a TorchScript file before any of its code is run, and after it was loaded.
#pragma once

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/module.h>

#include <modelseal/result.h>

namespace modelseal::oracle {

// Compiles every class of the archive, which runs nothing, and holds every operator of every method against
// allowed_operators.h. Error `unsupported` names the method and the operator.
Result<void> check_operators(caffe2::serialize::PyTorchStreamReader& archive, const std::string& name);

// Holds every tensor of the module against the storage that it lies in, and the code that came with it once
// more. Errors `malformed` for one that leaves its storage, `unsupported` for one that is not strided.
Result<void> check_loaded(const torch::jit::Module& module, const std::string& name);

}  // namespace modelseal::oracle
