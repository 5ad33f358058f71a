// Which operators of TorchScript are run: those that compute. Whatever else LibTorch offers (files, threads,
// other machines, raw memory) is refused by not being here.
#pragma once

#include <string_view>

namespace modelseal::oracle {

// `name` as the graph has it: "aten::conv2d". An operator in place, "aten::relu_", is allowed where
// "aten::relu" is.
bool is_allowed_operator(std::string_view name);

}  // namespace modelseal::oracle
