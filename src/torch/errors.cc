#include "torch/errors.h"

#include <new>
#include <string_view>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::libtorch {
namespace {

constexpr std::size_t kLongest = 300;  // of a message of LibTorch's, in bytes

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
    if (message.size() > kLongest) return util::printable(message.substr(0, kLongest)) + "...";
    return util::printable(message);
}

}  // namespace

Error caught(const std::string& name) {
    const auto error = [&](std::string_view message) {
        return Error{ErrorKind::unsupported, fmt::format("{}: LibTorch: {}", name, reason(message)), {}};
    };
    try {
        throw;
    } catch (const Refused& refused) {
        return refused.error;
    } catch (const c10::Error& thrown) {
        return error(thrown.what_without_backtrace());
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable, fmt::format("{}: not enough memory to run it", name), {}};
    } catch (const std::exception& thrown) {
        return error(thrown.what());
    } catch (...) {
        return error("an exception of an unknown kind");
    }
}

}  // namespace modelseal::libtorch
