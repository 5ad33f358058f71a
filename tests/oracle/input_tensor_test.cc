#include "oracle/input_tensor.h"

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/values.h"

namespace modelseal::oracle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Halves, AreExactOrNothing) {
    // Every finite half, decoded by the readers of weights.
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        if ((half & 0x7FFF) > 0x7C00) continue;
        double value = 0;
        model::decode_values(DType::f16, std::as_bytes(std::span(&half, 1)), {&value, 1});
        const auto again = exact_half(static_cast<float>(value));
        ASSERT_TRUE(again) << bits;
        ASSERT_EQ(*again, half);
        if ((half & 0x7FFF) == 0x7C00) continue;
        EXPECT_FALSE(exact_half(std::nextafter(static_cast<float>(value), 1e30f))) << bits;
    }
    for (const float value : {0.1f, 65505.0f, 65536.0f, 1e-45f, 2049.0f, std::nanf("")})
        EXPECT_FALSE(exact_half(value)) << value;
}

TEST(InputValues, AreNeverRounded) {
    const InputShape shape{"", {2, 1}};
    const std::vector<float> numbers{0.5f, 255, 0, 2048, 3, 0.1f};
    EXPECT_THAT(*exact_values(std::span(numbers).first(4), shape, "FP16", "s"),
                ElementsAre(0.5f, 255, 0, 2048));
    const auto half = exact_values(numbers, shape, "FP16", "net");
    ASSERT_FALSE(half.ok());
    EXPECT_EQ(half.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(half.error().hint, HasSubstr("gray levels"));
    EXPECT_EQ(half.error().message, "net: takes inputs of type FP16, in which input 3 is not exact");
    EXPECT_THAT(*exact_values(std::span(numbers).subspan(1, 2), shape, "UINT8", "s"), ElementsAre(255, 0));
    EXPECT_FALSE(exact_values(std::span(numbers).first(2), shape, "UINT8", "s").ok());
    EXPECT_FALSE(exact_values(std::vector<float>{256, 1}, shape, "UINT8", "s").ok());
    EXPECT_TRUE(exact_values(numbers, shape, "FP32", "s").ok());
}

// Two channels of different means; a level is sent as itself.
TEST(InputValues, OnAGridOfGrayLevelsAreSentAsLevels) {
    InputShape shape{"", {2, 2}};
    for (const float mean : {0.0f, 0.5f}) {
        auto& values = shape.gray.emplace_back();
        for (int level = 0; level < 256; ++level) values.push_back(static_cast<float>(level) / 255.0f - mean);
    }
    const std::vector<float> inputs{shape.gray[0][0], shape.gray[0][255], shape.gray[1][7], shape.gray[1][0]};
    EXPECT_THAT(*exact_values(inputs, shape, "UINT8", "s"), ElementsAre(0, 255, 7, 0));
    auto between = inputs;
    between[2] = std::nextafter(between[2], 1.0f);
    EXPECT_FALSE(exact_values(between, shape, "UINT8", "s").ok());
}

TEST(InputBytes, AreLittleEndian) {
    const auto bytes = [](std::vector<float> values, const char* datatype) {
        std::string out;
        append_values(out, values, datatype);
        return out;
    };
    EXPECT_EQ(bytes({1, -2}, "FP16"), std::string("\x00\x3c\x00\xc0", 4));
    EXPECT_EQ(bytes({0, 255, 7}, "UINT8"), std::string("\x00\xff\x07", 3));
    EXPECT_EQ(bytes({1}, "FP32"), std::string("\x00\x00\x80\x3f", 4));
    EXPECT_EQ(bytes({1}, "FP64"), std::string("\x00\x00\x00\x00\x00\x00\xf0\x3f", 8));
}

}  // namespace
}  // namespace modelseal::oracle
