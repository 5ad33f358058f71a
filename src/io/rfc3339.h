// Times as people and files write them: RFC 3339 in UTC, to the second ("2026-11-21T00:00:00Z").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace modelseal::io {

// Seconds since 1970; nullopt for another form, another zone than Z, a day that is not in the calendar, a
// leap second, or a year outside 1970 to 9999.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

inline constexpr std::int64_t kLastSecond = 253402300799;  // of the year 9999

// Precondition: 1970 to 9999.
std::string rfc3339(std::int64_t seconds);

// The time to write into new files: SOURCE_DATE_EPOCH if that is set to seconds of those years, so that
// builds are reproducible; else the clock.
std::int64_t seconds_now();
std::string rfc3339_now();

}  // namespace modelseal::io
