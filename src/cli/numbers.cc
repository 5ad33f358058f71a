#include "cli/numbers.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "io/rfc3339.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

template <class Number, class Accept>
Result<std::vector<Number>> list(const std::string& text, const char* option, const char* wanted,
                                 Accept accept) {
    std::vector<Number> values;
    for (std::size_t at = 0; !text.empty() && at <= text.size();) {
        const auto comma = std::min(text.find(',', at), text.size());
        Number value{};
        const auto [stopped, code] = std::from_chars(text.data() + at, text.data() + comma, value);
        if (code != std::errc() || stopped != text.data() + comma || !accept(value)) {
            return Error{ErrorKind::usage,
                         fmt::format("{} takes {}, not '{}'", option, wanted, util::printable(text)),
                         {}};
        }
        values.push_back(value);
        at = comma + 1;
    }
    return values;
}

}  // namespace

Result<std::vector<float>> float_list(const std::string& text, const char* option) {
    return list<float>(text, option, "numbers with commas between them",
                       [](float value) { return std::isfinite(value); });
}

Result<std::vector<std::int64_t>> extent_list(const std::string& text, const char* option) {
    return list<std::int64_t>(text, option, "whole numbers from 1 up with commas between them",
                              [](std::int64_t value) { return value >= 1; });
}

Result<std::string> future_time(const std::string& text, const char* option, std::int64_t now) {
    constexpr std::size_t kDate = 10;
    if (text.empty()) return text;
    const auto whole = text.size() == kDate ? text + "T23:59:59Z" : text;
    const auto seconds = io::parse_rfc3339(whole);
    if (!seconds) {
        return Error{
            ErrorKind::usage,
            fmt::format("{} takes a date such as 2027-06-30 or a time such as 2027-06-30T12:00:00Z, not '{}'",
                        option, util::printable(text)),
            {}};
    }
    if (*seconds <= now) {
        return Error{ErrorKind::usage, fmt::format("{} {} is in the past", option, text), {}};
    }
    return whole;
}

}  // namespace modelseal::cli
