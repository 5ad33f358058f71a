#include "cli/exit_code.h"

#include <algorithm>
#include <array>

namespace modelseal::cli {

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
    return *std::ranges::find_if(kOrder, [=](ExitCode each) { return each == a || each == b; });
}

}  // namespace modelseal::cli
