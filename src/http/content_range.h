// The field Content-Range of an answer: which part of a file it is (RFC 9110, section 14.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace modelseal::http {

// Bytes `first` to `last`, both of them included.
struct ContentRange {
    std::uint64_t first = 0, last = 0;
    std::optional<std::uint64_t> size;  // of the file, above `last`, below 2^62; absent: not said
};

// "bytes 0-65535/8192000", or with "*" in the place of the size. Nothing for any other text, for an answer without a part
// ("bytes */8192000"), and for a range that contradicts itself.
std::optional<ContentRange> parse_content_range(std::string_view text);

}  // namespace modelseal::http
