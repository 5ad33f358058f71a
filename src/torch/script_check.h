// Checks of a TorchScript file before any of its code runs, and after it was loaded.
#pragma once

#include <string_view>

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/module.h>

#include <modelseal/result.h>

namespace modelseal::libtorch {

// Compiles every class of the archive, which runs nothing, and compares every operator of every method with
// allowed_operators.h. Error `unsupported` names the method and the operator.
Result<void> check_operators(caffe2::serialize::PyTorchStreamReader& archive, const std::string& name);

// Compares every tensor of the module with its storage, and checks the code that was loaded once more. Errors
// `malformed` for a tensor that leaves its storage, `unsupported` for one that is not strided.
Result<void> check_loaded(const torch::jit::Module& module, const std::string& name);

// Which operators of TorchScript are run: those that compute. Whatever else LibTorch offers (files, threads,
// other machines, raw memory) is refused by not being here.

// `name` as the graph has it: "aten::conv2d". An operator in place, "aten::relu_", is allowed where
// "aten::relu" is.
bool is_allowed_operator(std::string_view name);

}  // namespace modelseal::libtorch
