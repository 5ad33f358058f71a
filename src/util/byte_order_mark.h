// The mark that some editors, most of all on Windows, put before a text in UTF-8.
#pragma once

#include <string_view>

namespace modelseal::util {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

inline std::string_view without_mark(std::string_view text) {
    return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

}  // namespace modelseal::util
