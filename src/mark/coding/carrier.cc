#include "mark/coding/carrier.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "mark/coding/quantized.h"

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
    out.resize(count);
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        out[found] = static_cast<std::uint32_t>(i);
        found += takes_part(load<Bits>(block, i), range) ? 1 : 0;
    }
    out.resize(found);
}

constexpr FloatFormat kFormatF64 = {52, 11}, kFormatF32 = {23, 8}, kFormatF16 = {10, 5}, kFormatBf16 = {7, 8};

std::int64_t bias(const FloatFormat& format) {
    return (std::int64_t{1} << (format.exponent_bits - 1)) - 1;
}

// A value of which the lowest bit on its grid may carry, and its magnitude without that bit.
struct OnGrid {
    std::uint32_t position;
    std::uint64_t magnitude;
};

void keep_smallest(std::vector<OnGrid>& values, std::size_t most) {
    if (values.size() <= most) return;
    std::vector<std::uint64_t> magnitudes;
    for (const auto& value : values) magnitudes.push_back(value.magnitude);
    const auto last = magnitudes.begin() + static_cast<std::ptrdiff_t>(most - 1);
    std::ranges::nth_element(magnitudes, last);
    std::erase_if(values, [largest = *last](const OnGrid& value) { return value.magnitude > largest; });
}

// Floats that are finite, normal values of their grid. The bit that carries never changes the exponent. Since version 2
// a power of two and the value above it do not carry: below the former values lie twice as close, so that rounding has
// made it three quarters as frequent as the latter. And only small values do, since a step of those changes least.
template <class Bits>
std::vector<OnGrid> floats_on_grid(const Carriers& carriers, std::span<const std::byte> block) {
    const auto [version, dtype, grid] = carriers;
    const auto format = float_format(dtype), coarse = float_format(dtype, grid);
    const auto zeros = zero_bits(dtype, grid);
    const auto below = static_cast<Bits>((Bits{1} << zeros) - 1);
    const auto exponents = (Bits{1} << format.exponent_bits) - 1;
    const auto end = (std::int64_t{1} << coarse.exponent_bits) - 1;  // infinite
    const auto mantissa = (Bits{1} << format.mantissa_bits) - 1;
    std::vector<OnGrid> values;
    for (std::size_t i = 0; i < block.size() / sizeof(Bits); ++i) {
        const auto bits = load<Bits>(block, i);
        const auto exponent = static_cast<std::int64_t>((bits >> format.mantissa_bits) & exponents);
        const auto on_grid = exponent - bias(format) + bias(coarse);
        if ((bits & below) != 0 || exponent == 0 || on_grid < 1 || on_grid >= end) continue;
        if (version == Version::two && (bits & mantissa) >> zeros < 2) continue;
        const auto magnitude = static_cast<Bits>(bits & static_cast<Bits>(~Bits{0}) >> 1) >> (zeros + 1);
        values.push_back(
            {static_cast<std::uint32_t>(i * sizeof(Bits) + zeros / 8), static_cast<std::uint64_t>(magnitude)});
    }
    return values;
}

std::vector<OnGrid> floats_on_grid(const Carriers& carriers, std::span<const std::byte> block) {
    switch (carriers.dtype) {
        case DType::f64:
            return floats_on_grid<std::uint64_t>(carriers, block);
        case DType::f32:
            return floats_on_grid<std::uint32_t>(carriers, block);
        case DType::f16:
        case DType::bf16:
            return floats_on_grid<std::uint16_t>(carriers, block);
        default:
            return {};
    }
}

// The rules of version 1 for quantized types; those of version 2 are in quantized.cc.
//
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

unsigned carrier_class(DType dtype) {
    switch (dtype) {
        case DType::f32:
        case DType::f64:
            return kFloats;
        case DType::f16:
        case DType::bf16:
            return kHalves;
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
            return kQuantized;
        default:
            return block_rule(dtype) != nullptr ? kQuantized : kClasses;
    }
}

CarrierKind carrier_kind(const Carriers& carriers) {
    switch (carrier_class(carriers.dtype)) {
        case kFloats:
            return carriers.grid == Grid::own ? CarrierKind::lattice : CarrierKind::bits;
        case kHalves:
            return CarrierKind::bits;
        case kQuantized:
            if (carriers.version == Version::one) return CarrierKind::bits;
            return has_chances(carriers.dtype) ? CarrierKind::modeled : CarrierKind::none;
        default:
            return CarrierKind::none;
    }
}

std::span<const Grid> grids_of(Version version, DType dtype) {
    static constexpr Grid kOwn[] = {Grid::own};
    static constexpr Grid kOfF64[] = {Grid::own, Grid::f32, Grid::f16, Grid::bf16};
    static constexpr Grid kOfF32[] = {Grid::own, Grid::f16, Grid::bf16};
    static constexpr Grid kOfF16[] = {Grid::own, Grid::bf16};
    if (version == Version::one) return kOwn;
    if (dtype == DType::f64) return kOfF64;
    if (dtype == DType::f32) return kOfF32;
    if (dtype == DType::f16) return kOfF16;
    return kOwn;
}

FloatFormat float_format(DType dtype) {
    if (dtype == DType::f64) return kFormatF64;
    if (dtype == DType::f32) return kFormatF32;
    return dtype == DType::f16 ? kFormatF16 : kFormatBf16;
}

// bf16 in f16 has the exponents of the f16: of a bf16, only the length of the mantissa is left.
FloatFormat float_format(DType dtype, Grid grid) {
    const auto own = float_format(dtype);
    if (grid == Grid::own) return own;
    const auto coarse = grid == Grid::f32 ? kFormatF32 : grid == Grid::f16 ? kFormatF16 : kFormatBf16;
    return {coarse.mantissa_bits, std::min(own.exponent_bits, coarse.exponent_bits)};
}

unsigned zero_bits(DType dtype, Grid grid) {
    return float_format(dtype).mantissa_bits - float_format(dtype, grid).mantissa_bits;
}

std::byte carrier_mask(const Carriers& carriers) {
    if (carrier_class(carriers.dtype) == kQuantized) return std::byte{1};
    return static_cast<std::byte>(1u << (zero_bits(carriers.dtype, carriers.grid) % 8));
}

void bit_carriers(const Carriers& carriers, std::span<const std::byte> block, std::size_t most,
                  std::vector<std::uint32_t>& positions) {
    positions.clear();
    const auto dtype = carriers.dtype;
    if (carrier_class(dtype) <= kHalves) {
        auto values = floats_on_grid(carriers, block);
        if (carriers.version == Version::two) keep_smallest(values, most);
        for (const auto& value : values) positions.push_back(value.position);
        return;
    }
    const auto all = [&](const ByteRule& rule) { bytes_by_rule(rule, block, 0, block.size(), positions); };
    switch (dtype) {
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

std::size_t values_on_grid(DType dtype, Grid grid, std::span<const std::byte> block) {
    return floats_on_grid({Version::one, dtype, grid}, block).size();
}

void lattice_elements(DType dtype, std::span<const std::byte> block, std::vector<std::uint32_t>& elements) {
    elements.clear();
    if (dtype == DType::f32) floats_taking_part<std::uint32_t>(block, kF32, elements);
    if (dtype == DType::f64) floats_taking_part<std::uint64_t>(block, kF64, elements);
}

namespace {

template <class Bits>
std::int64_t ordered(Bits bits) {
    constexpr auto kSign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
    const auto magnitude = static_cast<std::int64_t>(bits & static_cast<Bits>(~kSign));
    return (bits & kSign) != 0 ? -magnitude : magnitude;
}

}  // namespace

std::int64_t lattice_value(DType dtype, std::span<const std::byte> block, std::uint32_t element) {
    return dtype == DType::f32 ? ordered(load<std::uint32_t>(block, element))
                               : ordered(load<std::uint64_t>(block, element));
}

std::vector<std::int64_t> lattice_values(DType dtype, std::span<const std::byte> block,
                                         std::span<const std::uint32_t> elements) {
    std::vector<std::int64_t> values(elements.size());
    const auto each = [&](auto load_bits) {
        for (std::size_t i = 0; i < elements.size(); ++i) values[i] = ordered(load_bits(elements[i]));
    };
    if (dtype == DType::f32) {
        each([&](std::uint32_t element) { return load<std::uint32_t>(block, element); });
    } else {
        each([&](std::uint32_t element) { return load<std::uint64_t>(block, element); });
    }
    return values;
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
