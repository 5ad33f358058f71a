// Base64 as in RFC 4648 section 4: padded, and of the many spellings of the same bytes only the one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace modelseal::crypto {

std::string base64(std::span<const std::byte> bytes);
// Nothing for other characters, white space, lacking padding, or bits behind the last byte.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

// Lower-case hexadecimal digits; nothing for any other text.
std::optional<std::vector<std::byte>> from_hex(std::string_view text);

}  // namespace modelseal::crypto
