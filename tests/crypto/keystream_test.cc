// Numbers drawn from a key.
#include "crypto/keystream.h"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace modelseal::crypto {
namespace {

constexpr std::array<std::byte, 32> kKey{std::byte{7}};

TEST(Keystream, DrawsUniformNumbersFromZeroToOne) {
    Keystream stream(kKey, 0);
    constexpr std::size_t kDraws = 20'000, kParts = 10;
    std::array<std::size_t, kParts> counts{};
    for (std::size_t i = 0; i < kDraws; ++i) {
        const double value = stream.uniform();
        ASSERT_TRUE(value >= 0 && value < 1);
        ++counts[static_cast<std::size_t>(value * kParts)];
    }
    // 2,000 expected, with a standard deviation of 42.
    for (const auto count : counts) EXPECT_NEAR(static_cast<double>(count), 2'000, 6 * 42);
}

// The upper 53 bits of a number.
TEST(Keystream, UniformIsTheNumberByTwoToTheSixtyFour) {
    Keystream numbers(kKey, 1), uniform(kKey, 1);
    for (int i = 0; i < 100; ++i) {
        const double expected = static_cast<double>(numbers.number() & ~std::uint64_t{0x7FF}) * 0x1p-64;
        EXPECT_EQ(uniform.uniform(), expected);
    }
}

}  // namespace
}  // namespace modelseal::crypto
