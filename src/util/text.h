// Text from files, servers and users: validation as UTF-8, and a printable form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace modelseal::util {

// Well-formed UTF-8 (RFC 3629) from front to end.
bool is_utf8(std::string_view text);

// The text in a form that can be shown in a terminal, a log or a message: bytes that are not UTF-8, controls,
// and characters that take no space or change the order of others become \xNN. Time linear in the text.
std::string printable(std::string_view text);

// "1,234,567"
std::string grouped(std::uint64_t number);

// "1 file", "0 files", "1,200 files", "2 entries": the number with commas, and the noun in singular or plural.
std::string counted(std::uint64_t number, std::string_view noun);

}  // namespace modelseal::util
