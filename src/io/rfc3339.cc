#include "io/rfc3339.h"

#include <charconv>
#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::io {
namespace {

// The number in `count` digits at `at`; -1 if it is not a number.
int digits(std::string_view text, std::size_t at, std::size_t count) {
    int number = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (text[i] < '0' || text[i] > '9') return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

}  // namespace

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
    constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";
    if (text.size() != kForm.size()) return std::nullopt;
    for (std::size_t i = 0; i < kForm.size(); ++i) {
        if (kForm[i] != 'd' && kForm[i] != text[i]) return std::nullopt;
    }
    const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (year < 1970 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
    if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return std::nullopt;
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

std::string rfc3339(std::int64_t seconds) {
    const auto days = std::chrono::floor<std::chrono::days>(std::chrono::seconds(seconds));
    const std::chrono::year_month_day date{std::chrono::sys_days(days)};
    const auto rest = seconds - std::int64_t{days.count()} * 86400;
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / 3600,
                       rest / 60 % 60, rest % 60);
}

std::int64_t seconds_now() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

std::string rfc3339_now() {
    return rfc3339(seconds_now());
}

// https://reproducible-builds.org/specs/source-date-epoch/: a malformed value should be an error.
Result<std::int64_t> build_seconds() {
    const char* given = std::getenv("SOURCE_DATE_EPOCH");
    if (given == nullptr) return seconds_now();
    const std::string_view text(given);
    std::int64_t fixed = -1;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), fixed);
    const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
    if (whole && fixed >= 0 && fixed <= kLastSecond) return fixed;
    return Error{
        ErrorKind::usage,
        fmt::format("SOURCE_DATE_EPOCH is '{}', not a number of seconds since 1970", util::printable(text)),
        "unset it, or set it to the output of date +%s"};
}

Result<std::string> build_time() {
    MODELSEAL_TRY_ASSIGN(const auto seconds, build_seconds());
    return rfc3339(seconds);
}

}  // namespace modelseal::io
