// What the worker answers, read as the words of a stranger: a hostile model file may have made it say anything.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "oracle/oracle.h"

namespace modelseal::oracle {

// Of "enter": which halves of the sandbox the kernel gave it.
struct EnteredSandbox {
    bool landlock = false;
    bool filter = false;
};
EnteredSandbox read_entered(const nlohmann::json& answer);

// Of "open". Texts are printable; every extent of the shape is positive, and their product fits 32 bits.
struct OpenedNetwork {
    InputShape input;
    std::string runtime;
    std::vector<std::string> devices;  // at least one
};
// Error `malformed`: its message is the name of the part that is wrong.
Result<OpenedNetwork> read_opened(const nlohmann::json& answer);

// Of "classes": at least two.
std::optional<std::size_t> read_classes(const nlohmann::json& answer);

// The error in an answer that has one: `malformed`, `unsupported` and the like, never that a model does not
// match, which only what was checked outside the worker can say. The text is printable.
Error read_error(const nlohmann::json& error);

}  // namespace modelseal::oracle
