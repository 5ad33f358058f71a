// Which blocks may carry: noise, on the grid of its type or of a smaller one. Everything else stays what it is.
#include "mark/sealing/noise.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include <gtest/gtest.h>

namespace modelseal::mark {
namespace {

using Bytes = std::vector<std::byte>;
using Generator = std::mt19937_64;

template <class T>
Bytes raw(const std::vector<T>& values) {
    Bytes bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

constexpr std::size_t kBlock = 8192;
// A convolution: rows of 576 weights to a channel.
const std::vector<std::uint64_t> kShape = {64, 64, 3, 3};

std::vector<float> weights(unsigned seed, std::size_t count = kBlock) {
    Generator generator(seed);
    std::normal_distribution<double> normal(0, 0.03);
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(normal(generator));
    return values;
}

float to_bits(float value, unsigned zeros) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    bits = (bits + (1u << (zeros - 1))) & ~((1u << zeros) - 1);  // to nearest, as a cast does
    std::memcpy(&value, &bits, 4);
    return value;
}

std::optional<Grid> grid_of(const std::vector<float>& values, const std::vector<std::uint64_t>& shape = kShape,
                            Cover cover = Cover::hidden) {
    return noise_grid({.name = "w", .dtype = DType::f32, .shape = shape, .elements = values.size()}, 0,
                      raw(values), cover);
}

std::vector<float> each(std::vector<float> values, const std::function<float(float)>& change) {
    for (auto& value : values) value = change(value);
    return values;
}

TEST(NoiseGrid, OfTrainedFloatsIsTheirOwn) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        ASSERT_EQ(grid_of(weights(seed)), Grid::own) << seed;
        ASSERT_EQ(grid_of(weights(seed, 400)), Grid::own) << seed;
        ASSERT_EQ(grid_of(each(weights(seed), [](float x) { return std::cbrt(x) * x; })), Grid::own) << seed;
    }
}

TEST(NoiseGrid, OfPrunedFloatsIsTheirOwn) {
    for (unsigned seed = 0; seed < 50; ++seed) {
        const auto values = each(weights(seed), [](float x) { return std::abs(x) < 0.04F ? 0.0F : x; });
        ASSERT_EQ(grid_of(values), Grid::own) << seed;
    }
}

std::vector<float> combined(const std::vector<float>& a, const std::vector<float>& b,
                            const std::function<float(float, float)>& combine) {
    std::vector<float> values(a.size());
    std::ranges::transform(a, b, values.begin(), combine);
    return values;
}

// Sums are rounded to even, and what cancels out leaves zeros: uneven last bits, but no grid that a mark would leave.
TEST(NoiseGrid, OfAveragedAndMergedFloatsIsTheirOwnWhereAMarkMayBeSeen) {
    const auto mean = [](float a, float b) { return (a + b) / 2; };
    const auto merged = [](float a, float b) { return a + b * 0.05F; };
    for (unsigned seed = 0; seed < 50; ++seed) {
        const auto a = weights(seed), b = weights(seed + 1000), c = weights(seed + 2000),
                   d = weights(seed + 3000);
        const auto near = combined(a, b, merged);
        for (const auto& values : {combined(a, b, mean), combined(a, near, mean),
                                   combined(combined(a, b, mean), combined(c, d, mean), mean),
                                   combined(each(a, [](float x) { return to_bits(x, 16); }), b, merged)}) {
            ASSERT_EQ(grid_of(values, kShape, Cover::harmless), Grid::own) << seed;
        }
        ASSERT_EQ(grid_of(combined(a, b, mean)), std::nullopt) << seed;
        ASSERT_EQ(grid_of(combined(a, near, mean)), std::nullopt) << seed;
    }
}

TEST(NoiseGrid, OfHalvesStoredAsFloatsIsTheirs) {
    for (unsigned seed = 0; seed < 50; ++seed) {
        ASSERT_EQ(grid_of(each(weights(seed), [](float x) { return to_bits(x, 13); })), Grid::f16) << seed;
        ASSERT_EQ(grid_of(each(weights(seed), [](float x) { return to_bits(x, 16); })), Grid::bf16) << seed;
    }
}

TEST(NoiseGrid, OfDoublesFollowsWhatWasStored) {
    Generator generator(1);
    std::normal_distribution<double> normal(0, 0.03);
    std::vector<double> values(kBlock);
    const auto grid = [&](auto cut) {
        for (auto& value : values) value = cut(normal(generator));
        return noise_grid({.name = "w", .dtype = DType::f64, .shape = kShape, .elements = kBlock}, 0,
                          raw(values));
    };
    EXPECT_EQ(grid([](double x) { return x; }), Grid::own);
    EXPECT_EQ(grid([](double x) { return double{static_cast<float>(x)}; }), Grid::f32);
    EXPECT_EQ(grid([](double x) { return double{to_bits(static_cast<float>(x), 13)}; }), Grid::f16);
    EXPECT_EQ(grid([](double x) { return std::round(x * 1000); }), std::nullopt);
}

TEST(NoiseGrid, OfHalvesFollowsWhatWasStored) {
    Generator generator(1);
    std::normal_distribution<double> normal(0, 0.03);
    const auto grid = [&](DType dtype, unsigned zeros) {
        std::vector<std::uint16_t> values(kBlock);
        for (auto& value : values) {
            const auto rounded = to_bits(static_cast<float>(normal(generator)), zeros);
            std::uint32_t bits;
            std::memcpy(&bits, &rounded, 4);
            // The exponent of an f16 is 112 less.
            value = static_cast<std::uint16_t>(
                dtype == DType::bf16 ? bits >> 16
                                     : (bits >> 16 & 0x8000u) | (((bits & 0x7FFFFFFFu) - (112u << 23)) >> 13));
        }
        return noise_grid({.name = "w", .dtype = dtype, .shape = kShape, .elements = kBlock}, 0, raw(values));
    };
    EXPECT_EQ(grid(DType::f16, 13), Grid::own);
    EXPECT_EQ(grid(DType::f16, 16), Grid::bf16);
    EXPECT_EQ(grid(DType::bf16, 16), Grid::own);
    EXPECT_EQ(grid(DType::bf16, 20), std::nullopt);  // fp8 stored as bf16
}

struct Structured {
    std::string name;
    std::function<std::vector<float>()> values;
    std::vector<std::uint64_t> shape = kShape;
};

// A step for each of `channels`, which are `apart` elements long and come again after the last.
std::vector<float> fake_quantized(std::size_t channels, std::size_t apart, int most) {
    auto values = weights(7);
    std::vector<float> largest(channels);
    for (std::size_t i = 0; i < values.size(); ++i) {
        auto& l = largest[i / apart % channels];
        l = std::max(l, std::abs(values[i]));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto step = largest[i / apart % channels] / static_cast<float>(most);
        values[i] = std::round(values[i] / step) * step;
    }
    return values;
}

std::vector<Structured> structured() {
    return {
        {"PlusMinusOne", [] { return each(weights(1), [](float x) { return x < 0 ? -1.0F : 1.0F; }); }},
        {"PlusMinusConstant", [] { return each(weights(1), [](float x) { return x < 0 ? -0.37F : 0.37F; }); }},
        {"Ternary", [] { return each(weights(1), [](float x) { return std::round(x / 0.04F) * 0.07F; }); }},
        {"Integers", [] { return each(weights(1), [](float x) { return std::round(x * 1000); }); }},
        {"LargeIntegers", [] { return each(weights(1), [](float x) { return std::round(x * 100'000); }); }},
        {"AllEqual", [] { return each(weights(1), [](float) { return 0.123F; }); }},
        {"NoNormalValue",
         [] {
             return each(weights(1), [](float x) {
                 return x < 0 ? NAN : x < 0.01F ? INFINITY : x < 0.03F ? 1e-42F : 0.0F;
             });
         }},
        {"FixedPoint", [] { return each(weights(1), [](float x) { return std::round(x * 32768) / 32768; }); }},
        {"FourDecimals", [] { return each(weights(1), [](float x) { return std::round(x * 1e4F) / 1e4F; }); }},
        {"SixDecimals",
         [] {
             return each(weights(1), [](float x) { return static_cast<float>(std::round(x * 1e6) / 1e6); });
         }},
        {"Table",
         [] {
             std::vector<float> values(kBlock);
             for (std::size_t i = 0; i < kBlock; ++i) values[i] = static_cast<float>(i % 80) + 0.5F;
             return values;
         }},
        {"Codebook",
         [] {
             const auto book = weights(3, 16);
             return each(weights(1),
                         [&](float x) { return book[static_cast<std::size_t>(std::abs(x) * 1e4F) % 16]; });
         }},
        {"Int8PerTensor", [] { return fake_quantized(1, 1, 127); }},
        {"Int8PerChannel", [] { return fake_quantized(64, 576, 127); }},
        {"Int8PerChannelOfNine", [] { return fake_quantized(1000, 9, 127); }, {1000, 1, 3, 3}},
        {"Int8PerColumn", [] { return fake_quantized(512, 1, 127); }, {16, 512}},
        {"Int8PerInputChannel", [] { return fake_quantized(64, 9, 127); }},
        {"Int4PerGroup", [] { return fake_quantized(1000, 32, 7); }, {16, 512}},
        {"Int8Asymmetric",
         [] {
             return each(weights(1), [](float x) { return (std::round(x / 0.0011F + 37) - 37) * 0.0011F; });
         }},
        {"Nf4PerGroup",
         [] {
             const auto book = weights(3, 16), scales = weights(4, kBlock / 64);
             auto values = weights(1);
             for (std::size_t i = 0; i < values.size(); ++i)
                 values[i] = book[static_cast<std::size_t>(std::abs(values[i]) * 1e4F) % 16] * scales[i / 64];
             return values;
         }},
        {"ProductsOfHalves",
         [] {
             const auto half = [](float x) { return to_bits(x, 13); };
             return combined(each(weights(1), half), each(weights(2), half), std::multiplies<float>());
         }},
        {"ChangesOfACheckpoint",
         [] {
             const auto before = weights(1);
             const auto after = combined(before, weights(2), [](float a, float b) { return a + b * 0.05F; });
             return combined(after, before, std::minus<float>());
         }},
        {"Int8PerTensorAsHalves",
         [] { return each(fake_quantized(1, 1, 127), [](float x) { return to_bits(x, 13); }); }},
    };
}

class NoNoise : public testing::TestWithParam<Structured> {};

TEST_P(NoNoise, HasNoGridToCarryOn) {
    EXPECT_EQ(grid_of(GetParam().values(), GetParam().shape), std::nullopt);
    EXPECT_EQ(grid_of(GetParam().values(), GetParam().shape, Cover::harmless), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Values, NoNoise, testing::ValuesIn(structured()),
                         [](const auto& given) { return given.param.name; });

TEST(NoiseGrid, OfQuantizedTypesIsTheirOwn) {
    const Bytes codes(4096, std::byte{7});
    EXPECT_EQ(noise_grid({.name = "w", .dtype = DType::i8, .shape = {4096}, .elements = 4096}, 0, codes),
              Grid::own);
}

}  // namespace
}  // namespace modelseal::mark
