#include "cli/options/values.h"

#include <cctype>
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

// Bytes of a unit as in byte_count(); 0 if there is none of that name.
std::uint64_t unit_of(std::string_view name) {
    std::uint64_t binary = 1, decimal = 1;
    if (name.empty() || name == "B") return 1;
    for (const char prefix : {'K', 'M', 'G', 'T'}) {
        binary *= 1024;
        decimal *= 1000;
        if (std::toupper(static_cast<unsigned char>(name.front())) != prefix) continue;
        const auto rest = name.substr(1);
        return rest.empty() || rest == "iB" || rest == "i" ? binary : rest == "B" ? decimal : 0;
    }
    return 0;
}

}  // namespace

Result<std::vector<float>> float_list(const std::string& text, const char* option) {
    return list<float>(text, option, "numbers separated by commas",
                       [](float value) { return std::isfinite(value); });
}

Result<std::vector<std::int64_t>> extent_list(const std::string& text, const char* option) {
    return list<std::int64_t>(text, option, "integers of 1 or more, separated by commas",
                              [](std::int64_t value) { return value >= 1; });
}

Result<std::optional<std::uint64_t>> byte_count(const std::string& text, const char* option) {
    if (text.empty()) return std::optional<std::uint64_t>();
    std::uint64_t number = 0;
    const auto [stopped, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto unit = unit_of(std::string_view(text).substr(static_cast<std::size_t>(stopped - text.data())));
    constexpr std::uint64_t kMost = std::uint64_t{1} << 63;
    if (code == std::errc() && unit != 0 && number != 0 && number <= kMost / unit)
        return std::optional(number * unit);
    return Error{ErrorKind::usage,
                 fmt::format("{} takes a number of bytes such as 1048576, 64MiB or 1GB, not '{}'", option,
                             util::printable(text)),
                 {}};
}

Result<std::string> future_time(const std::string& text, const char* option, std::int64_t now) {
    constexpr std::size_t kDate = 10;
    if (text.empty()) return text;
    const auto time = text.size() == kDate ? text + "T23:59:59Z" : text;
    const auto seconds = io::parse_rfc3339(time);
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
    return time;
}

Result<std::vector<std::pair<std::string, std::string>>> key_values(const std::vector<std::string>& texts,
                                                                    const char* option) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return Error{ErrorKind::usage,
                         fmt::format("{} takes KEY=VALUE, not '{}'", option, util::printable(text)),
                         {}};
        }
        pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return pairs;
}

}  // namespace modelseal::cli
