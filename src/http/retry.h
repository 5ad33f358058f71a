// How long a client waits before it asks again.
//
// Thread safety: any number of threads at once.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace modelseal::http {

// What the field Retry-After asks for (RFC 9110, section 10.2.3), at most 30 seconds. Nothing for a date, or anything else that
// is not a number of seconds: the wait is then our own.
std::optional<std::chrono::milliseconds> retry_after(std::string_view field);

// Our own: `first` before the first retry (0), doubled from retry to retry, at most 30 seconds; half of it is left to chance, so
// that many clients do not come back at once.
std::chrono::milliseconds wait_before(unsigned retry, std::chrono::milliseconds first);

}  // namespace modelseal::http
