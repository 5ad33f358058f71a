// LibTorch throws; the rest of modelseal returns. All code in src/torch that calls LibTorch is called within
// guarded().
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <modelseal/result.h>

namespace modelseal::libtorch {

// Carries an Error through code that can only throw, such as forward().
struct Refused : std::exception {
    explicit Refused(Error what_is_wrong) : error(std::move(what_is_wrong)) {}
    const char* what() const noexcept override { return error.message.c_str(); }
    Error error;
};

// The hint where an operator is missing, or is not allowed.
inline constexpr const char* kWithoutOperator = "export the network without it, or as ONNX";

// A message of LibTorch's as an Error. It names the operator that failed, if TorchScript shows it. If LibTorch
// lacks an operator, or has it for other tensors or arguments only, this is all that it states, with a hint.
Error explained(const std::string& name, std::string_view message);

// The current exception as an Error: that of a Refused; for LibTorch's own, `name` and the line that states
// what is wrong, without traces. Call in a catch block.
Error caught(const std::string& name);

// The result of `work`, or its exception as an Error. `work` returns a Result or throws Refused.
template <class Work>
auto guarded(const std::string& name, Work&& work) -> std::invoke_result_t<Work> {
    try {
        return std::forward<Work>(work)();
    } catch (...) {
        return caught(name);
    }
}

}  // namespace modelseal::libtorch
