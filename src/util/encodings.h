// Bytes as text: hexadecimal, base64 (RFC 4648), percent-encoded (RFC 3986).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace modelseal::util {

// Base64 of RFC 4648, section 4, with padding.
std::string base64(std::span<const std::byte> bytes);
// Accepts only the spelling that base64() writes; nullopt for other characters, white space, missing padding,
// or bits after the last byte.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

// Accepts lower-case hexadecimal digits; nullopt for any other text.
std::optional<std::vector<std::byte>> from_hex(std::string_view text);

// ASCII letters, digits and the characters of `allowed` stay; every other byte becomes %XX.
std::string percent_encoded(std::string_view text, std::string_view allowed);

}  // namespace modelseal::util
