// The codes of a block of a quantized type: which they are, and where their lowest bits are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <modelseal/tensor.h>

namespace modelseal::mark {

// Codes ascend with the value. Two codes 2k and 2k+1 are a pair.
struct Code {
    std::uint16_t value = 0;
    std::uint32_t bit = 0;  // its lowest one: bit i mod 8 of byte i / 8 of the block
};

// Pairs below `low` and from `high` on are ends: a quantizer forces the extreme value of a group there (127 in q8_0,
// 15 in q4_1), or they are not values.
struct CodeType {
    DType dtype;
    unsigned pairs;
    unsigned zero;  // the pair with the code of zero, or kNoZero
    unsigned low, high;
    unsigned group;  // codes with one scale; 0: all
    // By how much odd codes outweigh the even ones below them, beyond any slope: of 4,096, the logarithm of the odds. As
    // measured over 72 networks: ggml scales these types such that the greatest value has the lowest code.
    int tilt = 0;
    unsigned of_exponent = 0;  // fp8: the pairs with one exponent

    bool is_end(unsigned pair) const { return pair < low || pair >= high; }
};
inline constexpr unsigned kNoZero = ~0u;

// Nothing for a type whose codes do not carry.
const CodeType* code_type(DType dtype);

// In the order of elements. `block`: whole groups of the type.
std::vector<Code> codes_of(DType dtype, std::span<const std::byte> block);

}  // namespace modelseal::mark
