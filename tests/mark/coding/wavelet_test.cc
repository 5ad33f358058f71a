#include "mark/coding/wavelet.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace modelseal::mark {
namespace {

std::vector<std::int64_t> noise(std::size_t count, unsigned seed, double sigma) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal(0, sigma);
    std::vector<std::int64_t> values(count);
    for (auto& value : values) value = std::llround(normal(generator));
    return values;
}

TEST(Wavelet, InverseOfForwardIsIdentityForAnyLength) {
    for (std::size_t length = 0; length < 200; ++length) {
        const auto original = noise(length, static_cast<unsigned>(length), 1e9);
        auto values = original;
        packets_forward(values);
        if (length > 8) {
            EXPECT_NE(values, original);
        }
        packets_inverse(values);
        EXPECT_EQ(values, original) << length;
    }
}

TEST(Wavelet, InverseOfForwardIsIdentityForAnyIntegers) {
    std::mt19937_64 generator(7);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::int64_t> original(generator() % 1500);
        for (auto& value : original) {
            value = static_cast<std::int64_t>(generator() >> generator() % 64);
            if (generator() % 16 == 0) value = std::numeric_limits<std::int64_t>::min();
        }
        for (int levels = 0; levels <= 7; ++levels) {
            auto values = original;
            packets_forward(values, levels);
            packets_inverse(values, levels);
            ASSERT_EQ(values, original);
        }
    }
}

// Four values at a time or one by one: small values and large ones mixed are taken one by one.
TEST(Wavelet, BandsDoNotDependOnWhatElseIsTransformed) {
    auto small = noise(1000, 3, 1e9);
    auto with_large = small;
    with_large.resize(2000);
    for (std::size_t i = 0; i < small.size(); ++i) {
        with_large[2 * i] = small[i];
        with_large[2 * i + 1] = 0;
    }
    auto alone = with_large;
    with_large[1999] = std::int64_t{1} << 50;
    packets_forward(alone, 1);
    packets_forward(with_large, 1);
    // The last value reaches the bands of the last two pairs and, around the end, of the first.
    for (const std::size_t band : {0u, 1000u}) {
        for (std::size_t i = 2; i + 3 < 1000; ++i) ASSERT_EQ(alone[band + i], with_large[band + i]) << band + i;
    }
}

TEST(Wavelet, DetailAndApproximationTogetherAreAllBands) {
    for (std::size_t length = 0; length < 300; ++length) {
        auto all = noise(length, static_cast<unsigned>(length), 1e9), in_two = all;
        packets_forward(all);
        detail_packets_forward(in_two);
        const auto detail = detail_count(length);
        EXPECT_TRUE(std::equal(all.end() - static_cast<std::ptrdiff_t>(detail), all.end(),
                               in_two.end() - static_cast<std::ptrdiff_t>(detail)));
        approximation_packets_forward(in_two);
        EXPECT_EQ(in_two, all) << length;
    }
}

// Published db2 filter (Daubechies 1992, table 6.1; PyWavelets 'db2' rec_lo).
constexpr double kDb2[] = {0.48296291314469025, 0.836516303737469, 0.22414386804185735, -0.12940952255092145};

TEST(Wavelet, OneLevelIsTheInnerProductWithThePublishedDb2Filter) {
    constexpr std::size_t length = 64;
    constexpr std::size_t at = 20;
    constexpr double amplitude = 1e9;
    for (std::size_t shift = 0; shift < 4; ++shift) {
        std::vector<std::int64_t> values(length);
        values[at + shift] = static_cast<std::int64_t>(amplitude);
        packets_forward(values, 1);
        // Each approximation and detail answers an impulse with one tap; together they are the filter and its
        // mirror.
        double energy = 0;
        for (const auto value : values) {
            const auto tap = static_cast<double>(value) / amplitude;
            energy += tap * tap;
            if (std::abs(tap) < 1e-8) continue;
            double nearest = 1;
            for (const auto published : kDb2)
                nearest = std::min(nearest, std::abs(std::abs(tap) - std::abs(published)));
            EXPECT_LT(nearest, 1e-8) << tap;
        }
        EXPECT_NEAR(energy, 1, 1e-7);
    }
}

TEST(Wavelet, ApproximationTapsComeInPublishedOrder) {
    constexpr double amplitude = 1e9;
    std::vector<double> taps;
    for (std::size_t at = 20; at < 28; ++at) {
        std::vector<std::int64_t> values(64);
        values[at] = static_cast<std::int64_t>(amplitude);
        packets_forward(values, 1);
        const auto tap = static_cast<double>(values[11]) / amplitude;
        if (std::abs(tap) > 1e-8) taps.push_back(tap);
    }
    ASSERT_EQ(taps.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(taps[i], kDb2[i], 1e-8);
}

TEST(Wavelet, TwoVanishingMomentsLeaveNoDetailOfALine) {
    std::vector<std::int64_t> values(128);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(1000 * i);
    packets_forward(values, 1);
    for (std::size_t i = 64 + 1; i < 127; ++i) EXPECT_LE(std::abs(values[i]), 4) << i;
}

TEST(Wavelet, ChangedLowBitsOfTheDetailHalfStaySmall) {
    std::mt19937_64 generator(3);
    std::int64_t worst = 0;
    double squares = 0, count = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
        const auto original = noise(1024, seed, 4e8);
        auto values = original;
        packets_forward(values);
        for (std::size_t i = 512; i < 1024; ++i) {
            values[i] = (values[i] & ~std::int64_t{3}) | static_cast<std::int64_t>(generator() & 3);
        }
        packets_inverse(values);
        for (std::size_t i = 0; i < 1024; ++i) {
            const auto change = std::abs(values[i] - original[i]);
            worst = std::max(worst, change);
            squares += static_cast<double>(change) * static_cast<double>(change);
            ++count;
        }
    }
    EXPECT_LT(std::sqrt(squares / count), 2.3);
    EXPECT_LE(worst, 16);
}

}  // namespace
}  // namespace modelseal::mark
