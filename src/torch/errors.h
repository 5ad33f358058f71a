// LibTorch throws; the rest of modelseal returns. Everything in src/torch that calls LibTorch is called within
// guarded().
#pragma once

#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include <modelseal/result.h>

namespace modelseal::libtorch {

// An Error on its way through code that can only throw, such as forward().
struct Refused : std::exception {
    explicit Refused(Error what_is_wrong) : error(std::move(what_is_wrong)) {}
    const char* what() const noexcept override { return error.message.c_str(); }
    Error error;
};

// The exception being handled, as an Error: a Refused's own; for what LibTorch throws, `name` and the line that
// says what is wrong, without traces. Call in a catch block.
Error caught(const std::string& name);

// What `work` returns, or the Error that its exception tells. `work` returns a Result or throws Refused.
template <class Work>
auto guarded(const std::string& name, Work&& work) -> std::invoke_result_t<Work> {
    try {
        return std::forward<Work>(work)();
    } catch (...) {
        return caught(name);
    }
}

}  // namespace modelseal::libtorch
