// Bit strings: bit i is bit i mod 8 of byte i / 8, the lowest first (modelseal-seal(5), "Notation").
#pragma once

#include <cstddef>
#include <span>

namespace modelseal::mark {

// Precondition of all: the bytes have such a bit.
inline bool bit_at(std::span<const std::byte> bytes, std::size_t at) {
    return (std::to_integer<unsigned>(bytes[at / 8]) >> (at % 8) & 1u) != 0;
}

inline void set_bit(std::span<std::byte> bytes, std::size_t at) {
    bytes[at / 8] |= static_cast<std::byte>(1u << (at % 8));
}

inline void clear_bit(std::span<std::byte> bytes, std::size_t at) {
    bytes[at / 8] &= static_cast<std::byte>(~(1u << (at % 8)));
}

}  // namespace modelseal::mark
