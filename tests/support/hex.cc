#include "tests/support/hex.h"

#include <cctype>
#include <stdexcept>

namespace modelseal::test {

std::vector<std::byte> from_hex(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0) throw std::invalid_argument("not hexadecimal");
        digits.push_back(c);
    }
    if (digits.size() % 2 != 0) throw std::invalid_argument("half a byte");
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

}  // namespace modelseal::test
