// Bits that look like those of a cover: message bits are turned into carrier bits which are 1 as often as they
// would be without a message, by running an arithmetic coder backwards (Sallee: "Model-based steganography",
// IWDW 2003). The carrier bits and the chances determine the message, and the reverse.
//
// The coder (Witten, Neal, Cleary: "Arithmetic coding for data compression", CACM 1987) has an interval of
// 32-bit numbers, low to high, at first all of them. A bit that is 1 with chance c / 4096 divides it at
// low + (high - low) * (4096 - c) / 4096, rounded down: up to there it is 0, above it is 1. While both ends have
// the same highest bit, that is put out and both are doubled; while they lie in the middle half, both are
// doubled around its center, and the bit that is then due is put out later, after the next one, inverted.
// Whatever is doubled gets a 0 (low) or 1 (high) from below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace modelseal::mark {

// Of 4,096: how often a carrier bit is 1.
using Chance = std::uint16_t;
inline constexpr unsigned kCertain = 4096;

// Bits that carriers of these chances hold at the least, in 1/4096 bit: 4 c (1 - c) each, which is below the
// entropy of a bit.
std::uint64_t least_entropy(std::span<const Chance> chances);

// Carrier bits, one a chance, that stand for `message`: bit i of a byte string is bit i mod 8 of its byte i / 8.
// Bits that go beyond the message are read as 0.
std::vector<std::byte> draw_carriers(std::span<const Chance> chances, std::span<const std::byte> message);

// The first `bytes` of the messages that these carrier bits stand for; zeros where they do not determine one.
std::vector<std::byte> message_of(std::span<const Chance> chances, std::span<const std::byte> carriers,
                                  std::size_t bytes);

}  // namespace modelseal::mark
