#include "mark/coding/quantized_codes.h"

#include <algorithm>

namespace modelseal::mark {
namespace {

unsigned at(std::span<const std::byte> bytes, std::size_t index) {
    return std::to_integer<unsigned>(bytes[index]);
}

// The j-th code of a unit, elements that are stored together; GGUF types in ggml's order (ggml-common.h,
// ggml-quants.c).
using CodeAt = Code (*)(std::span<const std::byte> unit, std::size_t j);

Code code(unsigned value, std::size_t byte, unsigned place = 0) {
    return {static_cast<std::uint16_t>(value), static_cast<std::uint32_t>(8 * byte + place)};
}
Code nibble(std::span<const std::byte> unit, std::size_t byte, bool upper) {
    return code(upper ? at(unit, byte) >> 4 : at(unit, byte) & 0x0Fu, byte, upper ? 4 : 0);
}
Code with_upper_bits(Code code, unsigned bits, unsigned place) {
    code.value = static_cast<std::uint16_t>(code.value | bits << place);
    return code;
}

template <unsigned Mask>
Code of_byte(std::span<const std::byte> unit, std::size_t) {
    return code(at(unit, 0) & Mask, 0);
}
Code of_signed_byte(std::span<const std::byte> unit, std::size_t) {
    return code(at(unit, 0) ^ 0x80u, 0);
}
Code of_two(std::span<const std::byte> unit, std::size_t j) {
    return nibble(unit, 0, j == 1);
}
Code of_two_signed(std::span<const std::byte> unit, std::size_t j) {
    auto found = nibble(unit, 0, j == 1);
    found.value ^= 8u;
    return found;
}
// 32 codes: first the lower nibbles of 16 bytes from `First` on, then the upper ones.
template <std::size_t First>
Code of_32(std::span<const std::byte> unit, std::size_t j) {
    return nibble(unit, First + j % 16, j >= 16);
}
// With a fifth bit each, from byte `Fifth` on.
template <std::size_t First, std::size_t Fifth>
Code of_32_with_fifth(std::span<const std::byte> unit, std::size_t j) {
    return with_upper_bits(of_32<First>(unit, j), at(unit, Fifth + j / 8) >> (j % 8) & 1u, 4);
}
// 256 codes: in turn the lower and the upper nibbles of 32 bytes.
template <std::size_t First>
Code of_256(std::span<const std::byte> unit, std::size_t j) {
    return nibble(unit, First + j / 64 * 32 + j % 32, j % 64 >= 32);
}
Code of_q5_k(std::span<const std::byte> unit, std::size_t j) {
    return with_upper_bits(of_256<48>(unit, j), at(unit, 16 + j % 32) >> (j / 32) & 1u, 4);
}
Code of_q6_k(std::span<const std::byte> unit, std::size_t j) {
    const auto half = j / 128, quarter = j % 128 / 32, place = j % 32;
    return with_upper_bits(nibble(unit, half * 64 + quarter % 2 * 32 + place, quarter >= 2),
                           at(unit, 128 + half * 32 + place) >> (2 * quarter) & 3u, 4);
}
Code of_q8_0(std::span<const std::byte> unit, std::size_t j) {
    return code(at(unit, 2 + j) ^ 0x80u, 2 + j);
}

struct Rule {
    CodeType type;
    CodeAt code_at;
};
// FP8 are OCP's OFP8 and the fnuz forms: from `high` on a pair has a code that is not finite, or none above it.
constexpr Rule kRules[] = {
    {{DType::i8, 128, 64, 1, 127, 0}, of_signed_byte},
    {{DType::qint8, 128, 64, 1, 127, 0}, of_signed_byte},
    {{DType::u8, 128, 0, 0, 127, 0}, of_byte<0xFF>},
    {{DType::quint8, 128, 0, 0, 127, 0}, of_byte<0xFF>},
    {{DType::i4, 8, 4, 1, 7, 0}, of_two_signed},
    {{DType::u4, 8, 0, 0, 7, 0}, of_two},
    {{DType::quint4x2, 8, 0, 0, 7, 0}, of_two},
    {{DType::f8_e4m3fn, 64, kNoZero, 4, 63, 0, 0, 4}, of_byte<0x7F>},
    {{DType::f8_e4m3fnuz, 64, kNoZero, 4, 63, 0, 0, 4}, of_byte<0x7F>},
    {{DType::f8_e5m2, 64, kNoZero, 2, 61, 0, 0, 2}, of_byte<0x7F>},
    {{DType::f8_e5m2fnuz, 64, kNoZero, 2, 63, 0, 0, 2}, of_byte<0x7F>},
    {{DType::q4_0, 8, 4, 1, 7, 32, 127}, of_32<2>},
    {{DType::q4_1, 8, kNoZero, 1, 7, 32}, of_32<4>},
    {{DType::q5_0, 16, 8, 1, 15, 32, 47}, of_32_with_fifth<6, 2>},
    {{DType::q5_1, 16, kNoZero, 1, 15, 32}, of_32_with_fifth<8, 4>},
    {{DType::q8_0, 128, 64, 1, 127, 32}, of_q8_0},
    {{DType::q4_k, 8, kNoZero, 1, 7, 32}, of_256<16>},
    {{DType::q5_k, 16, kNoZero, 1, 15, 32}, of_q5_k},
    {{DType::q6_k, 32, 16, 1, 31, 16, 34}, of_q6_k},
};

const Rule* rule_for(DType dtype) {
    const auto found = std::ranges::find(kRules, dtype, [](const Rule& rule) { return rule.type.dtype; });
    return found == std::end(kRules) ? nullptr : found;
}

}  // namespace

const CodeType* code_type(DType dtype) {
    const auto* rule = rule_for(dtype);
    return rule == nullptr ? nullptr : &rule->type;
}

std::vector<Code> codes_of(DType dtype, std::span<const std::byte> block) {
    std::vector<Code> codes;
    const auto* rule = rule_for(dtype);
    if (rule == nullptr) return codes;
    const auto [name, elements, size] = info(dtype);
    codes.reserve(block.size() / size * elements);
    for (std::size_t start = 0; start + size <= block.size(); start += size) {
        const auto unit = block.subspan(start, size);
        for (std::size_t j = 0; j < elements; ++j) {
            codes.push_back(rule->code_at(unit, j));
            codes.back().bit += static_cast<std::uint32_t>(8 * start);
        }
    }
    return codes;
}

}  // namespace modelseal::mark
