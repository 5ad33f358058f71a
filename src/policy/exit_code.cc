#include "policy/exit_code.h"

#include <algorithm>
#include <array>

namespace modelseal::policy {
namespace {

// The one of the two that comes first in `order`.
template <class T, std::size_t N>
T first_of(const std::array<T, N>& order, T a, T b) {
    return *std::ranges::find_if(order, [=](T each) { return each == a || each == b; });
}

}  // namespace

ExitCode exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return ExitCode::usage;
        case ErrorKind::mismatch:
            return ExitCode::mismatch;
        case ErrorKind::unreadable:
        case ErrorKind::malformed:
        case ErrorKind::unsupported:
        case ErrorKind::internal:
            break;
    }
    return ExitCode::failed;
}

ExitCode exit_code(Verdict verdict) {
    switch (verdict) {
        case Verdict::intact:
            return ExitCode::done;
        case Verdict::tampered:
            return ExitCode::mismatch;
        case Verdict::unsealed:
            return ExitCode::nothing;
        case Verdict::error:
            break;
    }
    return ExitCode::failed;
}

ExitCode worst(ExitCode a, ExitCode b) {
    constexpr std::array kOrder = {ExitCode::usage, ExitCode::mismatch, ExitCode::failed, ExitCode::nothing,
                                   ExitCode::done};
    return first_of(kOrder, a, b);
}

Verdict worst(Verdict a, Verdict b) {
    constexpr std::array kOrder = {Verdict::tampered, Verdict::error, Verdict::unsealed, Verdict::intact};
    return first_of(kOrder, a, b);
}

}  // namespace modelseal::policy
