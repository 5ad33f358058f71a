// LibTorch throws; the rest of modelseal returns. All code in src/torch that calls LibTorch is called within
// guarded().
#pragma once

#include <exception>
#include <string>
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
