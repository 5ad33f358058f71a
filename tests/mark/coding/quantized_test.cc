#include "mark/coding/quantized.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/hash.h"
#include <modelseal/keys.h>

namespace modelseal::mark {
namespace {

using Bytes = std::vector<std::byte>;

// A byte of two nibbles, each as often as 15 coins show so many heads.
std::byte heads(std::mt19937& generator) {
    const auto coins = generator();
    return static_cast<std::byte>(std::popcount(coins & 0x7FFFu) << 4 | std::popcount(coins >> 16 & 0x7FFFu));
}

Bytes block_of(DType dtype, std::uint64_t elements, unsigned seed = 1) {
    std::uint64_t size = 0;
    storage_bytes(dtype, elements, size);
    std::mt19937 generator(seed);
    Bytes block(size);
    for (auto& byte : block) byte = heads(generator);
    return block;
}

// Codes around 128 that are alike to their neighbors, as weights of a smooth kernel are.
std::vector<int> smooth_codes(std::size_t count, double alike, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    std::vector<int> codes(count);
    double value = 0;
    for (auto& code : codes) {
        value = alike * value + std::sqrt(1 - alike * alike) * normal(generator);
        code = std::clamp(static_cast<int>(std::lround(8 * value)), -127, 127);
    }
    return codes;
}

class Quantized : public testing::TestWithParam<DType> {};

std::string spelled(const testing::TestParamInfo<DType>& type) {
    return std::string(info(type.param).name);
}

TEST_P(Quantized, NoCarrierCountsForWhichCarryAndHowOften) {
    auto block = block_of(GetParam(), 8192);
    const auto before = quantized_carriers(GetParam(), block);
    ASSERT_FALSE(before.bits.empty());
    std::mt19937 generator(2);
    for (const auto bit : before.bits)
        block[bit / 8] ^= static_cast<std::byte>((generator() & 1u) << (bit % 8));
    const auto after = quantized_carriers(GetParam(), block);
    EXPECT_EQ(after.bits, before.bits);
    EXPECT_EQ(after.chances, before.chances);
}

TEST_P(Quantized, EqualCodesCarryNothing) {
    for (const unsigned value : {0x00u, 0x55u, 0x88u, 0xFFu}) {
        auto block = block_of(GetParam(), 8192);
        std::ranges::fill(block, static_cast<std::byte>(value));
        EXPECT_TRUE(quantized_carriers(GetParam(), block).bits.empty()) << value;
    }
    EXPECT_TRUE(quantized_carriers(GetParam(), {}).bits.empty());
}

// The chances are part of the format: a seal whose cells are read with others is lost.
TEST_P(Quantized, ChancesAreThoseOfVersionTwo) {
    const std::map<DType, std::string> pinned = {
        {DType::i8, "8104 cb9a0a7f31c37ecf"},          {DType::u8, "8160 4c50246eb004c039"},
        {DType::qint8, "8104 cb9a0a7f31c37ecf"},       {DType::quint8, "8160 4c50246eb004c039"},
        {DType::i4, "296 a92db7e27d598990"},           {DType::u4, "8038 5ce9bba1e0185bed"},
        {DType::quint4x2, "8038 5ce9bba1e0185bed"},    {DType::f8_e4m3fn, "4424 c8a716c381f63fe7"},
        {DType::f8_e4m3fnuz, "4424 c8a716c381f63fe7"}, {DType::f8_e5m2, "3866 ae9030d1287b7fed"},
        {DType::f8_e5m2fnuz, "4054 2e93da2769c3bfcd"}, {DType::q4_0, "1591 00fc8fc29fff72c1"},
        {DType::q4_1, "3048 06e3f96270c8cc2f"},        {DType::q5_0, "5388 35a163dd4a1049d6"},
        {DType::q5_1, "5441 0f2d7670e27f14f0"},        {DType::q8_0, "7545 eae30c976bdd65cf"},
        {DType::q4_k, "3118 4df9c481688692ea"},        {DType::q5_k, "5264 75956ed62774d62a"},
        {DType::q6_k, "4477 2d98eec89c15aafc"},
    };
    const auto carriers = quantized_carriers(GetParam(), block_of(GetParam(), 8192));
    crypto::Sha256 hash;
    hash.update(std::as_bytes(std::span(carriers.bits))).update(std::as_bytes(std::span(carriers.chances)));
    EXPECT_EQ(fmt::format("{} {}", carriers.bits.size(), to_hex(hash.finish()).substr(0, 16)),
              pinned.at(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(OfType, Quantized,
                         testing::Values(DType::i8, DType::u8, DType::qint8, DType::quint8, DType::i4,
                                         DType::u4, DType::quint4x2, DType::f8_e4m3fn, DType::f8_e4m3fnuz,
                                         DType::f8_e5m2, DType::f8_e5m2fnuz, DType::q4_0, DType::q4_1,
                                         DType::q5_0, DType::q5_1, DType::q8_0, DType::q4_k, DType::q5_k,
                                         DType::q6_k),
                         spelled);

// How many nats the chances know more of the bits than a coin does, and how many bits are 1 beyond what they say,
// in standard deviations.
struct Fit {
    double gain = 0, excess = 0;
};
Fit fit_of(std::span<const int> codes) {
    Bytes block(codes.size());
    std::ranges::transform(codes, block.begin(), [](int code) { return static_cast<std::byte>(code); });
    const auto carriers = quantized_carriers(DType::i8, block);
    Fit fit;
    double variance = 0;
    for (std::size_t i = 0; i < carriers.bits.size(); ++i) {
        const double chance = carriers.chances[i] / double{kCertain};
        const bool one = (block[carriers.bits[i] / 8] & std::byte{1}) != std::byte{0};
        fit.gain += std::log(2 * (one ? chance : 1 - chance));
        fit.excess += (one ? 1 : 0) - chance;
        variance += chance * (1 - chance);
    }
    fit.excess /= std::sqrt(variance);
    return fit;
}

TEST(QuantizedChances, AreThoseOfTheBitsThatAreThere) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        const auto fit = fit_of(smooth_codes(8192, 0, seed));
        EXPECT_GT(fit.gain, 2) << seed;
        EXPECT_LT(std::abs(fit.excess), 4) << seed;
    }
}

TEST(QuantizedChances, FollowTheCodesBesideWhereTheseAreAlike) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        const auto apart = fit_of(smooth_codes(8192, 0, seed)), alike = fit_of(smooth_codes(8192, 0.8, seed));
        EXPECT_GT(alike.gain, 2 * apart.gain) << seed;
        EXPECT_LT(std::abs(alike.excess), 4) << seed;
    }
}

}  // namespace
}  // namespace modelseal::mark
