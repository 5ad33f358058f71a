#include "oracle/precision.h"

#include <cmath>
#include <cstdlib>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace modelseal::oracle {
namespace {

// Values as they come out of networks, written with `format` and read back.
std::vector<float> through_text(std::size_t count, double scale, const char* format) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal(0, scale);
    std::vector<float> values;
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<float>(normal(random));
        values.push_back(std::strtof(fmt::format(fmt::runtime(format), value).c_str(), nullptr));
    }
    return values;
}

TEST(DecimalRounding, IsNoneWhereEveryDigitIsThere) {
    for (const double scale : {1e-6, 1e-3, 0.1, 1.0, 20.0, 1e4}) {
        for (const std::size_t count : {10u, 100u, 1000u}) {
            EXPECT_EQ(decimal_rounding(through_text(count, scale, "{}")), 0) << scale << " " << count;
            EXPECT_EQ(decimal_rounding(through_text(count, scale, "{:.9g}")), 0) << scale << " " << count;
        }
    }
}

TEST(DecimalRounding, IsHalfOfTheLastDecimal) {
    EXPECT_DOUBLE_EQ(decimal_rounding(through_text(100, 1.0, "{:.2f}")), 0.5e-2);
    EXPECT_DOUBLE_EQ(decimal_rounding(through_text(100, 1.0, "{:.4f}")), 0.5e-4);
    EXPECT_DOUBLE_EQ(decimal_rounding(through_text(100, 10.0, "{:.4f}")), 0.5e-4);
    EXPECT_DOUBLE_EQ(decimal_rounding(through_text(100, 0.1, "{:.6f}")), 0.5e-6);
    EXPECT_DOUBLE_EQ(decimal_rounding(through_text(10, 0.1, "{:.6f}")), 0.5e-6);
}

TEST(DecimalRounding, CountsDigitsFromTheFirstAsWell) {
    // The largest value is between 10 and 100: six digits of it leave four decimals.
    EXPECT_DOUBLE_EQ(decimal_rounding(through_text(100, 10.0, "{:.6g}")), 0.5e-4);
    EXPECT_DOUBLE_EQ(decimal_rounding(through_text(100, 10.0, "{:.7g}")), 0.5e-5);
}

TEST(DecimalRounding, CoversTheActualError) {
    for (const auto* format : {"{:.3f}", "{:.5f}", "{:.5g}", "{:.6g}", "{:.3e}"}) {
        const auto exact = through_text(200, 3.0, "{}");
        const auto sent = through_text(200, 3.0, format);
        double worst = 0;
        for (std::size_t i = 0; i < exact.size(); ++i) {
            worst = std::max(worst, std::abs(static_cast<double>(exact[i]) - static_cast<double>(sent[i])));
        }
        EXPECT_GE(decimal_rounding(sent) + 1e-6, worst) << format;  // values below 16 are steps of 1e-6 apart
    }
}

// The value in a format with that many bits of significand.
float narrowed(float value, int bits) {
    int exponent = 0;
    const float fraction = std::frexp(value, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(fraction, bits)), exponent - bits);
}

std::vector<float> narrowed(std::vector<float> values, int bits) {
    for (auto& value : values) value = narrowed(value, bits);
    return values;
}

TEST(Significand, IsThatOfTheFormatThatAllValuesFit) {
    for (const double scale : {1e-3, 1.0, 30.0}) {
        const auto exact = through_text(50, scale, "{}");
        EXPECT_EQ(significand_of(exact, 0), kFloat32Bits);
        EXPECT_EQ(significand_of(narrowed(exact, 11), 0), kHalfBits);
        EXPECT_EQ(significand_of(narrowed(exact, 8), 0), kBfloat16Bits);
        EXPECT_EQ(significand_of(narrowed(exact, 16), 0), kFloat32Bits);
    }
}

TEST(Significand, OfTooFewValuesIsNotGuessed) {
    const std::vector<float> halves{1.5f, 0, -0.25f};
    EXPECT_EQ(significand_of(halves, 0), kFloat32Bits);
}

// A value of half precision between 8 and 16 is a multiple of 1/128; three decimals of it are near one.
TEST(Significand, ShowsThroughDecimals) {
    auto values = narrowed(through_text(200, 20.0, "{}"), 11);
    for (auto& value : values) value = std::strtof(fmt::format("{:.3f}", value).c_str(), nullptr);
    EXPECT_EQ(significand_of(values, decimal_rounding(values)), kHalfBits);
    const auto decimals = through_text(200, 20.0, "{:.3f}");
    EXPECT_EQ(significand_of(decimals, decimal_rounding(decimals)), kFloat32Bits);
}

TEST(Precision, OfANarrowFormatCoversTheActualError) {
    const auto exact = through_text(200, 3.0, "{}");
    for (const int bits : {8, 11}) {
        Answers answers{.count = 200, .classes = 1, .values = narrowed(exact, bits)};
        note_precision(answers);
        EXPECT_EQ(answers.significand, static_cast<unsigned>(bits));
        double largest = 0;
        for (std::size_t i = 0; i < exact.size(); ++i) {
            const double off = std::abs(static_cast<double>(exact[i]) - static_cast<double>(answers.values[i]));
            const double half = half_step(answers.values[i], answers.significand);
            EXPECT_LE(off, half) << exact[i];
            EXPECT_LE(half, std::abs(static_cast<double>(answers.values[i])) * std::ldexp(1, -bits) +
                                (bits == 11 ? 0x1p-25 : 0));
            largest = std::max(largest, half);
        }
        EXPECT_EQ(answers.rounding, 0);
        EXPECT_EQ(largest_rounding(answers), largest);
    }
}

TEST(Precision, HalfAStepIsThatOfTheFormat) {
    EXPECT_EQ(half_step(1.0f, kBfloat16Bits), 0x1p-8);
    EXPECT_EQ(half_step(-1.9921875f, kBfloat16Bits), 0x1p-8);
    EXPECT_EQ(half_step(2.0f, kBfloat16Bits), 0x1p-7);
    EXPECT_EQ(half_step(1.0f, kHalfBits), 0x1p-11);
    EXPECT_EQ(half_step(1.0f, kFloat32Bits), 0);
    // Half precision is subnormal below 2^-14; bfloat16 has the exponents of float32.
    EXPECT_EQ(half_step(0x1p-14f, kHalfBits), 0x1p-25);
    EXPECT_EQ(half_step(0x1p-20f, kHalfBits), 0x1p-25);
    EXPECT_EQ(half_step(0, kHalfBits), 0x1p-25);
    EXPECT_EQ(half_step(0x1p-20f, kBfloat16Bits), 0x1p-28);
    EXPECT_EQ(rounding_of(1.0f, 0.5, kHalfBits), 0.5 + 0x1p-11);
}

TEST(Precision, ThatIsKnownOnlyGetsCoarser) {
    Answers answers{.count = 1, .classes = 2, .values = {3.5f, 1.1f}, .rounding = 0.25};
    answers.significand = kHalfBits;
    note_precision(answers);
    EXPECT_EQ(answers.significand, kHalfBits);
    EXPECT_EQ(answers.rounding, 0.25);
}

TEST(DecimalRounding, IsZeroWithoutFiniteNonzeroValues) {
    EXPECT_EQ(decimal_rounding({}), 0);
    const std::vector<float> odd{0.0f, std::nanf(""), INFINITY};
    EXPECT_EQ(decimal_rounding(odd), 0);
}

}  // namespace
}  // namespace modelseal::oracle
