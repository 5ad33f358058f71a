// Options whose values are numbers with commas between them, or a point in time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::cli {

// ErrorKind::usage, naming the option, for anything but finite numbers. An empty text has none.
Result<std::vector<float>> float_list(const std::string& text, const char* option);
// The same for whole numbers from 1 up.
Result<std::vector<std::int64_t>> extent_list(const std::string& text, const char* option);

// "2027-06-30", meaning its last second in UTC, or a time as in RFC 3339, as the latter; ErrorKind::usage for
// other texts and for what is not after `now` (seconds since 1970). An empty text stays empty.
Result<std::string> future_time(const std::string& text, const char* option, std::int64_t now);

}  // namespace modelseal::cli
