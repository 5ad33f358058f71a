#include "mark/coding/carrier.h"

#include <bit>
#include <cstring>

namespace modelseal::mark {
namespace {

static_assert(std::endian::native == std::endian::little, "element bytes are read in place");

// Exponent fields that take part. Far from the ends, so that no change makes a value denormal or infinite.
struct FloatRange {
    unsigned mantissa_bits;
    std::uint64_t lowest_exponent;   // first that takes part
    std::uint64_t highest_exponent;  // first that no longer does
};
constexpr FloatRange kF32 = {23, 16, 241};
constexpr FloatRange kF64 = {52, 64, 1984};

template <class Bits>
Bits load(std::span<const std::byte> block, std::size_t element) {
    Bits bits;
    std::memcpy(&bits, block.data() + element * sizeof bits, sizeof bits);
    return bits;
}

template <class Bits>
bool takes_part(Bits bits, const FloatRange& range) {
    const auto exponent = (bits << 1) >> (range.mantissa_bits + 1);
    return exponent >= range.lowest_exponent && exponent < range.highest_exponent;
}

template <class Bits>
void floats_taking_part(std::span<const std::byte> block, const FloatRange& range,
                        std::vector<std::uint32_t>& out) {
    const auto count = block.size() / sizeof(Bits);
    for (std::size_t i = 0; i < count; ++i) {
        if (takes_part(load<Bits>(block, i), range)) out.push_back(static_cast<std::uint32_t>(i));
    }
}

constexpr unsigned kMantissaF16 = 10, kMantissaBf16 = 7;

// 16-bit floats of 8 or 5 exponent bits: finite, normal ones. The lowest bit never changes the exponent.
void halves(unsigned mantissa_bits, std::span<const std::byte> block, std::vector<std::uint32_t>& positions) {
    const unsigned exponents = 0x7FFFu >> mantissa_bits;
    for (std::size_t at = 0; at + 2 <= block.size(); at += 2) {
        const unsigned bits = load<std::uint16_t>(block.subspan(at), 0);
        const unsigned exponent = (bits & 0x7FFFu) >> mantissa_bits;
        if (exponent != 0 && exponent != exponents) positions.push_back(static_cast<std::uint32_t>(at));
    }
}

// A byte takes part unless its pair {2k, 2k+1}, masked, is one of those named: the pair that holds zero, and
// one whose other member the type does not use (-128, NaN).
struct ByteRule {
    unsigned mask;     // bits of the value that the byte's lowest bit belongs to
    unsigned spared0;  // even members of pairs that stay as they are
    unsigned spared1;
};
constexpr unsigned kNoPair = 0x100;
constexpr ByteRule kSigned8 = {0xFF, 0x00, 0x80};
constexpr ByteRule kUnsigned8 = {0xFF, 0x00, kNoPair};
constexpr ByteRule kSignedNibble = {0x0F, 0x00, 0x08};
constexpr ByteRule kOffsetNibble = {0x0F, 0x08, kNoPair};  // q4_0: code 8 is zero
constexpr ByteRule kUnsignedNibble = {0x0F, 0x00,
                                      kNoPair};       // and q6_k, q5_x, whose zero code has a low nibble of 0
constexpr ByteRule kTwoBits = {0x03, 0x00, kNoPair};  // q2_k, q3_k: codes 2 and 3 take part

void bytes_by_rule(const ByteRule& rule, std::span<const std::byte> block, std::size_t first, std::size_t count,
                   std::vector<std::uint32_t>& positions) {
    for (std::size_t at = first; at < first + count && at < block.size(); ++at) {
        const auto pair = std::to_integer<unsigned>(block[at]) & rule.mask & ~1u;
        if (pair != rule.spared0 && pair != rule.spared1) positions.push_back(static_cast<std::uint32_t>(at));
    }
}

// FP8 (OCP OFP8; the fnuz forms): finite, normal values whose neighbor is one too.
void small_floats(unsigned mantissa_bits, unsigned not_a_number, std::span<const std::byte> block,
                  std::vector<std::uint32_t>& positions) {
    for (std::size_t at = 0; at < block.size(); ++at) {
        const auto bits = std::to_integer<unsigned>(block[at]) & 0x7Fu;
        const auto exponent = bits >> mantissa_bits;
        if (exponent != 0 && bits < not_a_number) positions.push_back(static_cast<std::uint32_t>(at));
    }
}

// GGUF block types: where the quants lie in a block, and what spares their zero (ggml-common.h). The types made
// of codebook indices (iq1..iq3, tq) and mxfp4 offer nothing whose lowest bit is a small step: they are covered
// only.
struct BlockRule {
    DType dtype;
    std::size_t first;  // byte of the first quant in the block
    std::size_t count;
    ByteRule rule;
};
constexpr BlockRule kBlockRules[] = {
    {DType::q4_0, 2, 16, kOffsetNibble},     {DType::q4_1, 4, 16, kUnsignedNibble},
    {DType::q5_0, 6, 16, kUnsignedNibble},   {DType::q5_1, 8, 16, kUnsignedNibble},
    {DType::q8_0, 2, 32, kSigned8},          {DType::q2_k, 16, 64, kTwoBits},
    {DType::q3_k, 32, 64, kTwoBits},         {DType::q4_k, 16, 128, kUnsignedNibble},
    {DType::q5_k, 48, 128, kUnsignedNibble}, {DType::q6_k, 0, 128, kUnsignedNibble},
};

const BlockRule* block_rule(DType dtype) {
    for (const auto& rule : kBlockRules) {
        if (rule.dtype == dtype) return &rule;
    }
    return nullptr;
}

}  // namespace

CarrierType carrier_type(DType dtype) {
    switch (dtype) {
        case DType::f32:
        case DType::f64:
            return {CarrierKind::lattice, kFloats};
        case DType::f16:
        case DType::bf16:
            return {CarrierKind::bits, kHalves};
        case DType::i8:
        case DType::u8:
        case DType::qint8:
        case DType::quint8:
        case DType::i4:
        case DType::u4:
        case DType::quint4x2:
        case DType::f8_e4m3fn:
        case DType::f8_e4m3fnuz:
        case DType::f8_e5m2:
        case DType::f8_e5m2fnuz:
            return {CarrierKind::bits, kQuantized};
        default:
            return block_rule(dtype) != nullptr ? CarrierType{CarrierKind::bits, kQuantized} : CarrierType{};
    }
}

void bit_carriers(DType dtype, std::span<const std::byte> block, std::vector<std::uint32_t>& positions) {
    positions.clear();
    const auto all = [&](const ByteRule& rule) { bytes_by_rule(rule, block, 0, block.size(), positions); };
    switch (dtype) {
        case DType::f16:
            return halves(kMantissaF16, block, positions);
        case DType::bf16:
            return halves(kMantissaBf16, block, positions);
        case DType::i8:
        case DType::qint8:
            return all(kSigned8);
        case DType::u8:
        case DType::quint8:
            return all(kUnsigned8);
        case DType::i4:
            return all(kSignedNibble);
        case DType::u4:
        case DType::quint4x2:
            return all(kUnsignedNibble);
        case DType::f8_e4m3fn:
            return small_floats(3, 0x7E, block, positions);  // 0x7F is NaN
        case DType::f8_e4m3fnuz:
            return small_floats(3, 0x80, block, positions);  // NaN is minus zero
        case DType::f8_e5m2:
            return small_floats(2, 0x7C, block, positions);  // 0x7C is infinite
        case DType::f8_e5m2fnuz:
            return small_floats(2, 0x80, block, positions);
        default:
            break;
    }
    if (const auto* rule = block_rule(dtype)) {
        const std::size_t group = info(dtype).group_bytes;
        for (std::size_t at = 0; at + group <= block.size(); at += group) {
            bytes_by_rule(rule->rule, block, at + rule->first, rule->count, positions);
        }
    }
}

void lattice_elements(DType dtype, std::span<const std::byte> block, std::vector<std::uint32_t>& elements) {
    elements.clear();
    if (dtype == DType::f32) floats_taking_part<std::uint32_t>(block, kF32, elements);
    if (dtype == DType::f64) floats_taking_part<std::uint64_t>(block, kF64, elements);
}

std::int64_t lattice_value(DType dtype, std::span<const std::byte> block, std::uint32_t element) {
    const auto bits = dtype == DType::f32 ? std::uint64_t{load<std::uint32_t>(block, element)} << 32
                                          : load<std::uint64_t>(block, element);
    const auto magnitude =
        static_cast<std::int64_t>((bits & ~(std::uint64_t{1} << 63)) >> (dtype == DType::f32 ? 32 : 0));
    return bits >> 63 != 0 ? -magnitude : magnitude;
}

void set_lattice_value(DType dtype, std::span<std::byte> block, std::uint32_t element, std::int64_t value) {
    const auto magnitude =
        value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    if (dtype == DType::f32) {
        const auto bits = static_cast<std::uint32_t>(magnitude | (value < 0 ? std::uint64_t{1} << 31 : 0));
        std::memcpy(block.data() + std::size_t{element} * 4, &bits, 4);
    } else {
        const auto bits = magnitude | (value < 0 ? std::uint64_t{1} << 63 : 0);
        std::memcpy(block.data() + std::size_t{element} * 8, &bits, 8);
    }
}

bool lattice_clear(DType dtype, std::int64_t value, std::uint64_t steps) {
    const auto& range = dtype == DType::f32 ? kF32 : kF64;
    const auto magnitude =
        value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    const auto lowest = range.lowest_exponent << range.mantissa_bits;
    const auto end = range.highest_exponent << range.mantissa_bits;
    return magnitude >= lowest + steps && magnitude < end - steps;
}

}  // namespace modelseal::mark
