#include "torch/errors.h"

#include <algorithm>
#include <cctype>
#include <new>
#include <optional>
#include <string_view>

#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <torch/version.h>

#include "util/text.h"

namespace modelseal::libtorch {
namespace {

constexpr std::size_t kLongest = 300;  // of a message of LibTorch's, in bytes

bool in_a_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == ':';
}

// The longest name that `text` begins with, without a dot at its end.
std::string_view leading_name(std::string_view text) {
    const auto end = static_cast<std::size_t>(std::ranges::find_if_not(text, in_a_name) - text.begin());
    text = text.substr(0, std::min(end, kLongest));
    while (!text.empty() && (text.back() == '.' || text.back() == ':')) text.remove_suffix(1);
    return text;
}

// What stands after the first `before`; nullopt without one.
std::optional<std::string_view> after(std::string_view text, std::string_view before) {
    const auto at = text.find(before);
    return at == text.npos ? std::nullopt : std::optional(text.substr(at + before.size()));
}

// Of a schema, "aten::gelu(Tensor self, *, ..) -> Tensor", alone on a line: "aten::gelu"; else empty.
std::string_view operator_of_schema(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const auto name = leading_name(line);
    const bool is_schema = name.find("::") != name.npos && line.substr(name.size()).starts_with("(") &&
                           line.find(") -> ") != line.npos;
    return is_schema ? name.substr(0, name.find('.')) : std::string_view();
}

// That of the first schema in a message about arguments that fit none.
std::string_view operator_of_call(std::string_view message) {
    message.remove_prefix(std::min(message.find_first_not_of(" \n"), message.size()));
    const bool several = message.starts_with("Arguments for call are not valid");
    while (!message.empty()) {
        const auto end = message.find('\n');
        const auto found = operator_of_schema(message.substr(0, end));
        if (!found.empty() || !several || end == message.npos) return found;
        message.remove_prefix(end + 1);
    }
    return {};
}

// LibTorch's messages fill pages. TorchScript's have the reason last, after "RuntimeError: "; the others have
// it in their first line.
std::string reason(std::string_view message) {
    for (const std::string_view before : {"\nRuntimeError: ", "\ntorch.jit.Error: ", "\nValueError: "}) {
        if (const auto at = message.rfind(before); at != message.npos) {
            message.remove_prefix(at + before.size());
            break;
        }
    }
    while (!message.empty() && (message.front() == '\n' || message.front() == ' ')) message.remove_prefix(1);
    message = message.substr(0, message.find('\n'));
    while (!message.empty() && (message.back() == ':' || message.back() == ' ')) message.remove_suffix(1);
    std::string line(message);
    // An address, which differs from run to run.
    if (const auto at = line.find(" (of Python compilation unit at: "); at != line.npos)
        line.erase(at, std::min(line.find(')', at), line.size() - 1) + 1 - at);
    if (line.size() > kLongest) return util::printable(line.substr(0, kLongest)) + "...";
    return util::printable(line);
}

// The line that ends before `end`, and where it begins.
struct Line {
    std::string_view text;
    std::size_t begin = 0;
};

Line line_before(std::string_view message, std::size_t end) {
    const auto begin = end == 0 ? message.npos : message.rfind('\n', end - 1);
    const auto first = begin == message.npos ? 0 : begin + 1;
    return {message.substr(first, end - first), first};
}

bool is_marker(std::string_view line) {
    return line.find('~') != line.npos && line.find_first_not_of(" ~") == line.npos;
}

// TorchScript shows the call that failed by a line of '~' under it, several if it spans lines:
//     _2 = torch.matmul(x, _1)
//          ~~~~~~~~~~~~ <--- HERE
// Code of the file comes first, what it was written in next. Empty for anything but a call of an operator.
std::string operator_that_failed(std::string_view message) {
    message = message.substr(0, message.find("Traceback of TorchScript, original code"));
    const auto here = message.rfind(" <--- HERE");
    if (here == message.npos) return {};
    auto marker = line_before(message, here);
    Line code;
    for (;;) {
        if (marker.begin == 0) return {};
        code = line_before(message, marker.begin - 1);
        if (code.begin == 0) break;
        const auto above = line_before(message, code.begin - 1);
        if (!is_marker(above.text)) break;
        marker = above;
    }
    const auto column = marker.text.find('~');
    if (column == marker.text.npos || column >= code.text.size()) return {};
    const auto call = leading_name(code.text.substr(column));
    if (!code.text.substr(column + call.size()).starts_with("(")) return {};
    if (call.starts_with("torch.")) return "aten::" + std::string(call.substr(6));
    if (!call.starts_with("ops.")) return {};
    const auto name = call.substr(4);
    const auto dot = name.find('.');
    return dot == name.npos ? std::string() : fmt::format("{}::{}", name.substr(0, dot), name.substr(dot + 1));
}

// An operator that this LibTorch lacks, or lacks for such tensors or arguments; nullopt for any other reason.
std::optional<std::string> missing_operator(std::string_view message) {
    const auto in = "in LibTorch " TORCH_VERSION;
    if (const auto rest = after(message, "Unknown builtin op: "))
        return fmt::format("the operator {} does not exist {}", leading_name(*rest), in);
    if (const auto rest = after(message, "Could not run '")) {
        const auto backend = after(*rest, "' with arguments from the '");
        return fmt::format("the operator {} does not exist for tensors of the kind {} {}", leading_name(*rest),
                           leading_name(backend.value_or("?")), in);
    }
    if (const auto rest = after(message, "Didn't find engine for operation "))
        return fmt::format("the operator {} does not exist for this processor {}", leading_name(*rest), in);
    if (const auto rest = after(message, "Unknown type name '"))
        return fmt::format("the class {} does not exist in the file or {}", leading_name(*rest), in);
    if (const auto called = operator_of_call(message); !called.empty())
        return fmt::format("the operator {} does not exist for these arguments {}", called, in);
    return std::nullopt;
}

}  // namespace

Error explained(const std::string& name, std::string_view message) {
    if (const auto missing = missing_operator(message)) {
        return {ErrorKind::unsupported, fmt::format("{}: {}", name, util::printable(*missing)),
                kWithoutOperator};
    }
    const auto failed = util::printable(operator_that_failed(message));
    return {ErrorKind::unsupported,
            fmt::format("{}: LibTorch: {}{}{}", name, failed, failed.empty() ? "" : ": ", reason(message)),
            {}};
}

Error caught(const std::string& name) {
    try {
        throw;
    } catch (const Refused& refused) {
        return refused.error;
    } catch (const c10::Error& thrown) {
        return explained(name, thrown.what_without_backtrace());
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable, fmt::format("{}: not enough memory to run it", name), {}};
    } catch (const std::exception& thrown) {
        return explained(name, thrown.what());
    } catch (...) {
        return explained(name, "an exception of an unknown kind");
    }
}

}  // namespace modelseal::libtorch
