#include "model/values.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace modelseal::model {
namespace {

// Values whose bits do not all follow the pattern of sign, exponent, fraction.
enum class Specials {
    none,      // every pattern is a number (OCP MX formats of 4 and 6 bits)
    ieee,      // the highest exponent means infinity and NaN
    ocp_fn,    // only all ones below the sign is NaN (OCP 8-bit E4M3)
    negative0  // only the pattern of minus zero is NaN (the "fnuz" types)
};

struct Minifloat {
    unsigned exponent_bits, fraction_bits;
    int bias;
    Specials specials;
    unsigned bits() const { return 1 + exponent_bits + fraction_bits; }
};

double decode_minifloat(const Minifloat& type, std::uint32_t bits) {
    constexpr auto kNaN = std::numeric_limits<double>::quiet_NaN();
    const auto sign = bits >> (type.bits() - 1) & 1;
    const auto exponent = bits >> type.fraction_bits & ((1u << type.exponent_bits) - 1);
    const auto fraction = bits & ((1u << type.fraction_bits) - 1);
    const auto highest = (1u << type.exponent_bits) - 1;
    const double signed_one = sign != 0 ? -1.0 : 1.0;
    if (type.specials == Specials::ieee && exponent == highest) {
        return fraction != 0 ? kNaN : signed_one * std::numeric_limits<double>::infinity();
    }
    if (type.specials == Specials::ocp_fn && exponent == highest &&
        fraction == (1u << type.fraction_bits) - 1) {
        return kNaN;
    }
    if (type.specials == Specials::negative0 && bits == 1u << (type.bits() - 1)) return kNaN;
    const auto significand = exponent == 0 ? fraction : fraction | 1u << type.fraction_bits;
    const auto scale =
        static_cast<int>(exponent == 0 ? 1 : exponent) - type.bias - static_cast<int>(type.fraction_bits);
    return signed_one * std::ldexp(significand, scale);
}

const Minifloat* minifloat(DType dtype) {
    static constexpr Minifloat kF16{5, 10, 15, Specials::ieee}, kE4m3fn{4, 3, 7, Specials::ocp_fn},
        kE4m3fnuz{4, 3, 8, Specials::negative0}, kE5m2{5, 2, 15, Specials::ieee},
        kE5m2fnuz{5, 2, 16, Specials::negative0}, kE2m3{2, 3, 1, Specials::none},
        kE3m2{3, 2, 3, Specials::none}, kE2m1{2, 1, 1, Specials::none};
    switch (dtype) {
        case DType::f16:
        case DType::c32:
            return &kF16;
        case DType::f8_e4m3fn:
            return &kE4m3fn;
        case DType::f8_e4m3fnuz:
            return &kE4m3fnuz;
        case DType::f8_e5m2:
            return &kE5m2;
        case DType::f8_e5m2fnuz:
            return &kE5m2fnuz;
        case DType::f6_e2m3:
            return &kE2m3;
        case DType::f6_e3m2:
            return &kE3m2;
        case DType::f4_e2m1:
            return &kE2m1;
        default:
            return nullptr;
    }
}

// One table a type, made when it is first needed.
template <DType dtype>
std::span<const double> table() {
    static const std::vector<double> values = [] {
        const auto& type = *minifloat(dtype);
        std::vector<double> all(std::size_t{1} << type.bits());
        for (std::uint32_t bits = 0; bits < all.size(); ++bits) all[bits] = decode_minifloat(type, bits);
        return all;
    }();
    return values;
}

template <class T>
T load(std::span<const std::byte> bytes, std::size_t index) {
    std::array<std::byte, sizeof(T)> raw;
    std::memcpy(raw.data(), bytes.data() + index * sizeof(T), sizeof(T));
    if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(raw);
    return std::bit_cast<T>(raw);
}

template <class T>
void decode_plain(std::span<const std::byte> bytes, std::span<double> out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(load<T>(bytes, i));
}

template <DType dtype>
void decode_table(std::span<const std::byte> bytes, std::span<double> out) {
    const auto values = table<dtype>();
    for (std::size_t i = 0; i < out.size(); ++i) {
        if constexpr (dtype == DType::f16) {
            out[i] = values[load<std::uint16_t>(bytes, i)];
        } else {
            out[i] = values[element_bits(dtype, bytes, i)];
        }
    }
}

void decode_bf16(std::span<const std::byte> bytes, std::span<double> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = std::bit_cast<float>(static_cast<std::uint32_t>(load<std::uint16_t>(bytes, i)) << 16);
    }
}

void decode_e8m0(std::span<const std::byte> bytes, std::span<double> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto exponent = std::to_integer<int>(bytes[i]);
        out[i] = exponent == 255 ? std::numeric_limits<double>::quiet_NaN() : std::ldexp(1.0, exponent - 127);
    }
}

void decode_packed(DType dtype, bool negative, std::span<const std::byte> bytes, std::span<double> out) {
    const auto bits = info(dtype).group_bytes * 8 / info(dtype).group_elements;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto value = static_cast<int>(element_bits(dtype, bytes, i));
        out[i] = negative && (value >> (bits - 1)) != 0 ? value - (1 << bits) : value;
    }
}

unsigned bits_of(DType dtype) {
    return info(dtype).group_bytes * 8 / info(dtype).group_elements;
}

}  // namespace

bool has_values(DType dtype) {
    return dtype < DType::opaque;
}

unsigned value_parts(DType dtype) {
    return dtype == DType::c32 || dtype == DType::c64 || dtype == DType::c128 ? 2 : 1;
}

void decode_values(DType dtype, std::span<const std::byte> bytes, std::span<double> out) {
    switch (dtype) {
        case DType::boolean:
        case DType::u8:
        case DType::quint8:
            return decode_plain<std::uint8_t>(bytes, out);
        case DType::i8:
        case DType::qint8:
            return decode_plain<std::int8_t>(bytes, out);
        case DType::u16:
            return decode_plain<std::uint16_t>(bytes, out);
        case DType::i16:
            return decode_plain<std::int16_t>(bytes, out);
        case DType::u32:
            return decode_plain<std::uint32_t>(bytes, out);
        case DType::i32:
        case DType::qint32:
            return decode_plain<std::int32_t>(bytes, out);
        case DType::u64:
            return decode_plain<std::uint64_t>(bytes, out);
        case DType::i64:
            return decode_plain<std::int64_t>(bytes, out);
        case DType::f32:
        case DType::c64:
            return decode_plain<float>(bytes, out);
        case DType::f64:
        case DType::c128:
            return decode_plain<double>(bytes, out);
        case DType::bf16:
            return decode_bf16(bytes, out);
        case DType::f16:
        case DType::c32:
            return decode_table<DType::f16>(bytes, out);
        case DType::f8_e4m3fn:
            return decode_table<DType::f8_e4m3fn>(bytes, out);
        case DType::f8_e4m3fnuz:
            return decode_table<DType::f8_e4m3fnuz>(bytes, out);
        case DType::f8_e5m2:
            return decode_table<DType::f8_e5m2>(bytes, out);
        case DType::f8_e5m2fnuz:
            return decode_table<DType::f8_e5m2fnuz>(bytes, out);
        case DType::f8_e8m0:
            return decode_e8m0(bytes, out);
        case DType::f6_e2m3:
            return decode_table<DType::f6_e2m3>(bytes, out);
        case DType::f6_e3m2:
            return decode_table<DType::f6_e3m2>(bytes, out);
        case DType::f4_e2m1:
            return decode_table<DType::f4_e2m1>(bytes, out);
        case DType::i4:
        case DType::i2:
            return decode_packed(dtype, true, bytes, out);
        case DType::u4:
        case DType::u2:
        case DType::u1:
        case DType::quint4x2:
        case DType::quint2x4:
            return decode_packed(dtype, false, bytes, out);
        default:
            break;
    }
}

std::uint64_t element_bits(DType dtype, std::span<const std::byte> bytes, std::uint64_t index) {
    const auto& type = info(dtype);
    const auto bits = bits_of(dtype);
    const auto group = bytes.subspan(index / type.group_elements * type.group_bytes, type.group_bytes);
    std::uint64_t whole = 0;
    for (auto i = group.size(); i-- > 0;) whole = whole << 8 | std::to_integer<std::uint64_t>(group[i]);
    if (type.group_elements == 1) return whole;
    return whole >> (index % type.group_elements * bits) & ((std::uint64_t{1} << bits) - 1);
}

bool is_floating(DType dtype) {
    return dtype >= DType::f16 && dtype <= DType::f4_e2m1;
}

std::uint64_t ulp_distance(DType dtype, std::uint64_t a, std::uint64_t b) {
    if (dtype == DType::f8_e8m0) return a > b ? a - b : b - a;  // has no sign
    const auto sign = std::uint64_t{1} << (bits_of(dtype) - 1);
    const auto magnitude_a = a & ~sign, magnitude_b = b & ~sign;
    if ((a & sign) != (b & sign)) return magnitude_a + magnitude_b;
    return magnitude_a > magnitude_b ? magnitude_a - magnitude_b : magnitude_b - magnitude_a;
}

}  // namespace modelseal::model
