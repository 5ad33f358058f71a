#include "oracle/precision.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

namespace modelseal::oracle {
namespace {

// The fewest digits that distinguish a float from its neighbors: texts of fewer digits round-trip.
struct Digits {
    int significant = 0;
    int exponent = 0;  // of ten, of the first digit
    int decimals() const { return std::max(0, significant - 1 - exponent); }
};

Digits digits_of(float value) {
    char buffer[32];
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), std::chars_format::scientific).ptr;
    const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
    const auto e = text.find('e');
    Digits digits;
    digits.significant = static_cast<int>(e) - (e > 1 ? 1 : 0);  // without the point
    const auto* from = text.data() + e + 1;
    std::from_chars(*from == '+' ? from + 1 : from, end, digits.exponent);
    return digits;
}

double step_of_float(float value) {
    const float magnitude = std::abs(value);
    return static_cast<double>(std::nextafter(magnitude, std::numeric_limits<float>::infinity())) -
           static_cast<double>(magnitude);
}

// The distance between neighbors of `value` in a format with that many bits of significand.
double step_of(float value, unsigned bits) {
    int exponent = 0;
    std::frexp(static_cast<double>(value), &exponent);
    return std::ldexp(1.0, exponent - static_cast<int>(bits));
}

// Bits of evidence that every value is within `rounding` of the grid by design; 0 if one is not.
double evidence_of_grid(std::span<const float> values, unsigned bits, double rounding) {
    double evidence = 0;
    for (const float value : values) {
        if (!std::isfinite(value) || value == 0) continue;
        const double step = step_of(value, bits), reach = rounding + step_of(value, kFloat32Bits) / 2;
        const auto exact = static_cast<double>(value);
        if (std::abs(exact - step * std::nearbyint(exact / step)) > reach) return 0;
        evidence -= std::log2(std::min(1.0, 2 * reach / step));
    }
    return evidence;
}

}  // namespace

double decimal_rounding(std::span<const float> values) {
    int decimals = 0, significant = 0, largest = std::numeric_limits<int>::min();
    std::size_t told = 0;
    for (const float value : values) {
        if (!std::isfinite(value) || value == 0) continue;
        const auto digits = digits_of(value);
        decimals = std::max(decimals, digits.decimals());
        significant = std::max(significant, digits.significant);
        largest = std::max(largest, digits.exponent);
        ++told;
    }
    if (told == 0) return 0;
    const double step = std::pow(10.0, -decimals);
    // An exact float32 has by chance so few decimals that their step is four times its own: one in four at
    // most. Eight of them, or all, are no chance.
    std::size_t coarse = 0;
    for (const float value : values) {
        coarse += std::isfinite(value) && value != 0 && step > 4 * step_of_float(value) ? 1 : 0;
    }
    double rounding = coarse >= std::min<std::size_t>(8, told) ? step / 2 : 0;
    // Digits that are counted from the first, as C++ streams and "%g" print them. Exact float32 need 8 or 9.
    if (significant <= 6 || (significant == 7 && told >= 16)) {
        rounding = std::max(rounding, std::pow(10.0, largest + 1 - significant) / 2);
    }
    return rounding;
}

unsigned significand_of(std::span<const float> values, double rounding) {
    constexpr double kBeyondChance = 64;
    for (const unsigned bits : {kBfloat16Bits, kHalfBits}) {
        if (evidence_of_grid(values, bits, rounding) >= kBeyondChance) return bits;
    }
    return kFloat32Bits;
}

double half_step(float value, unsigned bits) {
    constexpr double kOfSmallestHalves = 0x1p-25;
    if (bits >= kFloat32Bits) return 0;
    const double half = value == 0 ? 0 : step_of(value, bits) / 2;
    return bits == kHalfBits ? std::max(half, kOfSmallestHalves) : half;
}

double rounding_of(float value, double rounding, unsigned significand) {
    return rounding + half_step(value, significand);
}

double largest_rounding(const Answers& answers) {
    float largest = 0;
    for (const float value : answers.values) {
        if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    }
    return rounding_of(largest, answers.rounding, answers.significand);
}

void note_precision(Answers& answers) {
    const double rounding = decimal_rounding(answers.values);
    answers.significand = std::min(answers.significand, significand_of(answers.values, rounding));
    answers.rounding = std::max(answers.rounding, rounding);
}

}  // namespace modelseal::oracle
