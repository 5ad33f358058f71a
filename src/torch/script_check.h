// What is asked of a TorchScript file before any of its code is run, and after it was loaded.
#pragma once

#include <string_view>

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/module.h>

#include <modelseal/result.h>

namespace modelseal::libtorch {

// Compiles every class of the archive, which runs nothing, and holds every operator of every method against
// is_allowed_operator(). Error `unsupported` names the method and the operator.
Result<void> check_operators(caffe2::serialize::PyTorchStreamReader& archive, const std::string& name);

// Holds every tensor of the module against the storage that it lies in, and the code that came with it once
// more. Errors `malformed` for one that leaves its storage, `unsupported` for one that is not strided.
Result<void> check_loaded(const torch::jit::Module& module, const std::string& name);

// Which operators of TorchScript are run: those that compute. Whatever else LibTorch offers (files, threads,
// other machines, raw memory) is refused by not being here.

// `name` as the graph has it: "aten::conv2d". An operator in place, "aten::relu_", is allowed where
// "aten::relu" is.
bool is_allowed_operator(std::string_view name);

}  // namespace modelseal::libtorch
