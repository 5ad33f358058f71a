// Bytes as they are printed in RFCs and key dumps.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace modelseal::test {

// Hexadecimal digits, white space between them ignored; throws std::invalid_argument on anything else.
std::vector<std::byte> from_hex(std::string_view text);

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace modelseal::test
