// Values of options: lists of numbers, sizes, and points in time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::cli {

// ErrorKind::usage, naming the option, for anything but finite numbers. An empty text has none.
Result<std::vector<float>> float_list(const std::string& text, const char* option);
// The same for integers of 1 or more.
Result<std::vector<std::int64_t>> extent_list(const std::string& text, const char* option);

// "65536", "64KiB" or "64K", "1GB": K, M, G and T are powers of 1,024, with B (KB) of 1,000. Absent for an empty text;
// ErrorKind::usage for other texts, for 0 and for more than 2^63 bytes.
Result<std::optional<std::uint64_t>> byte_count(const std::string& text, const char* option);

// "2027-06-30", meaning its last second in UTC, or a time as in RFC 3339, as the latter; ErrorKind::usage for
// other texts and for a time that is not after `now` (seconds since 1970). An empty text stays empty.
Result<std::string> future_time(const std::string& text, const char* option, std::int64_t now);

// KEY=VALUE options, as --stamp and --expect take them.
// ErrorKind::usage, naming the option, for a text without '=' or with nothing before it.
Result<std::vector<std::pair<std::string, std::string>>> key_values(const std::vector<std::string>& texts,
                                                                    const char* option);

}  // namespace modelseal::cli
