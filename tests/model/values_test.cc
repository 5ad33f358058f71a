#include "model/values.h"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace modelseal {
namespace {

std::vector<std::byte> value_bytes(std::initializer_list<int> values) {
    std::vector<std::byte> bytes;
    for (const auto value : values) bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

std::vector<double> decoded(DType dtype, std::initializer_list<int> raw, std::size_t numbers) {
    std::vector<double> out(numbers);
    model::decode_values(dtype, value_bytes(raw), out);
    return out;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Expected values from the tables of the OCP 8-bit and MX specifications, IEEE 754 and the "fnuz" paper.
TEST(DecodeValues, FollowTheTablesOfTheirSpecifications) {
    struct Row {
        DType dtype;
        std::initializer_list<int> raw;
        std::vector<double> expected;
    };
    const Row rows[] = {
        {DType::f16, {0x00, 0x3c, 0xff, 0x7b, 0x01, 0x80, 0x00, 0xfc}, {1, 65504, -0x1p-24, -kInfinity}},
        {DType::bf16, {0x80, 0x3f, 0x20, 0xc1}, {1, -10}},
        {DType::f32, {0, 0, 0x80, 0x3f, 1, 0, 0, 0}, {1, 0x1p-149}},
        {DType::f64, {0, 0, 0, 0, 0, 0, 0xf0, 0xbf}, {-1}},
        {DType::f8_e4m3fn, {0x7e, 0x08, 0x01, 0x38, 0xb8}, {448, 0x1p-6, 0x1p-9, 1, -1}},
        {DType::f8_e5m2, {0x7b, 0x04, 0x01, 0x3c, 0x7c}, {57344, 0x1p-14, 0x1p-16, 1, kInfinity}},
        {DType::f8_e4m3fnuz, {0x7f, 0x01, 0x40}, {240, 0x1p-10, 1}},
        {DType::f8_e5m2fnuz, {0x7f, 0x01, 0x40}, {57344, 0x1p-17, 1}},
        {DType::f8_e8m0, {0, 127, 254}, {0x1p-127, 1, 0x1p127}},
        {DType::f6_e2m3, {0x1f, 0x18, 0x80}, {7.5, 0, 0.125, -0.0}},
        {DType::f6_e3m2, {0x1f, 0x00, 0x00}, {28, 0, 0, 0}},
        {DType::f4_e2m1, {0x21, 0xf7}, {0.5, 1, 6, -6}},
        {DType::i8, {0x80, 0x7f}, {-128, 127}},
        {DType::u8, {0x80}, {128}},
        {DType::i64, {0xfe, 255, 255, 255, 255, 255, 255, 255}, {-2}},
        {DType::i4, {0x8f}, {-1, -8}},
        {DType::u4, {0x8f}, {15, 8}},
        {DType::i2, {0b11'10'01'00}, {0, 1, -2, -1}},
        {DType::u1, {0b10000001}, {1, 0, 0, 0, 0, 0, 0, 1}},
        {DType::c32, {0x00, 0x3c, 0x00, 0xbc}, {1, -1}},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(decoded(row.dtype, row.raw, row.expected.size()), row.expected) << info(row.dtype).name;
    }
}

TEST(DecodeValues, NotANumberIsDecodedForEveryTypeThatHasIt) {
    const std::pair<DType, int> rows[] = {{DType::f8_e4m3fn, 0x7f},   {DType::f8_e4m3fn, 0xff},
                                          {DType::f8_e4m3fnuz, 0x80}, {DType::f8_e5m2fnuz, 0x80},
                                          {DType::f8_e5m2, 0x7d},     {DType::f8_e8m0, 0xff}};
    for (const auto& [dtype, raw] : rows) {
        EXPECT_TRUE(std::isnan(decoded(dtype, {raw}, 1)[0])) << info(dtype).name << " " << raw;
    }
}

TEST(DecodeValues, EveryTypeBelowOpaqueHasValues) {
    for (int i = 0; i < static_cast<int>(DType::opaque); ++i) {
        const auto dtype = static_cast<DType>(i);
        ASSERT_TRUE(model::has_values(dtype));
        const auto& type = info(dtype);
        std::vector<double> out(std::size_t{type.group_elements} * model::value_parts(dtype), -77);
        model::decode_values(dtype, std::vector<std::byte>(type.group_bytes), out);
        EXPECT_EQ(out, std::vector<double>(out.size(), dtype == DType::f8_e8m0 ? 0x1p-127 : 0)) << type.name;
    }
    EXPECT_FALSE(model::has_values(DType::opaque));
    EXPECT_FALSE(model::has_values(DType::q4_0));
}

TEST(UlpDistance, CountsTheStepsOfNextafter) {
    const auto bits = [](float value) { return std::uint64_t{std::bit_cast<std::uint32_t>(value)}; };
    float value = -0x1p-148f;
    const auto start = bits(value);
    for (std::uint64_t steps = 0; steps < 6; ++steps) {
        EXPECT_EQ(model::ulp_distance(DType::f32, start, bits(value)), steps);
        EXPECT_EQ(model::ulp_distance(DType::f32, bits(value), start), steps);
        value = std::nextafter(value, 1.0f);
    }
    EXPECT_EQ(model::ulp_distance(DType::f32, bits(0.0f), bits(-0.0f)), 0u);
    EXPECT_EQ(
        model::ulp_distance(DType::f64, std::bit_cast<std::uint64_t>(1.0), std::bit_cast<std::uint64_t>(2.0)),
        std::uint64_t{1} << 52);
    EXPECT_EQ(model::ulp_distance(DType::f4_e2m1, 0x7, 0xf), 14u);
    EXPECT_EQ(model::ulp_distance(DType::f8_e8m0, 200, 100), 100u);
}

}  // namespace
}  // namespace modelseal
