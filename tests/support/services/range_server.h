// Answers requests for parts of a file as RFC 9110, section 14, says.
#pragma once

#include <algorithm>
#include <charconv>
#include <string>

#include <fmt/format.h>

#include "tests/support/services/http_server.h"

namespace modelseal::test {

inline HttpReply part_of(const std::string& file, const HttpAsked& asked) {
    const auto range = asked.field("range");
    std::size_t first = 0, last = file.size();
    if (!range.starts_with("bytes=")) return {.body = file};
    const auto dash = range.find('-');
    std::from_chars(range.data() + 6, range.data() + dash, first);
    std::from_chars(range.data() + dash + 1, range.data() + range.size(), last);
    if (first >= file.size())
        return {
            .status = 416, .body = "", .fields = {{"Content-Range", fmt::format("bytes */{}", file.size())}}};
    last = std::min(last, file.size() - 1);
    return {.status = 206,
            .body = file.substr(first, last - first + 1),
            .fields = {{"Content-Range", fmt::format("bytes {}-{}/{}", first, last, file.size())},
                       {"ETag", "\"one\""}}};
}

}  // namespace modelseal::test
