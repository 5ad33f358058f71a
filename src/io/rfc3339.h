// Times as people and files write them: RFC 3339 in UTC, to the second ("2026-11-21T00:00:00Z").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <modelseal/result.h>

namespace modelseal::io {

// Seconds since 1970; nullopt for another form, another zone than Z, a day that is not in the calendar, a
// leap second, or a year outside 1970 to 9999.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

inline constexpr std::int64_t kLastSecond = 253402300799;  // of the year 9999

// Precondition: 1970 to 9999.
std::string rfc3339(std::int64_t seconds);

// The clock.
std::int64_t seconds_now();
std::string rfc3339_now();

// The time to write into files that are built reproducibly: SOURCE_DATE_EPOCH if it is set, else the clock. An Error
// of the kind usage if it is set to something else than seconds of those years.
Result<std::int64_t> build_seconds();
Result<std::string> build_time();

}  // namespace modelseal::io
