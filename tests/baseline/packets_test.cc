#include "baseline/packets.h"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace modelseal::baseline {
namespace {

std::vector<double> gaussian_signal(std::size_t count, unsigned seed) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal(0, 1);
    std::vector<double> values(count);
    for (auto& value : values) value = normal(engine);
    return values;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

// The definition, as a dense sum over the path of a band: no code shared with the transform under test.
std::vector<double> band_by_definition(std::vector<double> signal, unsigned band) {
    const double root3 = std::sqrt(3.0), scale = 4 * std::sqrt(2.0);
    const double low[4] = {(1 + root3) / scale, (3 + root3) / scale, (3 - root3) / scale, (1 - root3) / scale};
    const double high[4] = {low[3], -low[2], low[1], -low[0]};
    for (int level = 4; level >= 0; --level) {
        const double* taps = (band >> level & 1u) != 0 ? high : low;
        std::vector<double> half(signal.size() / 2, 0);
        for (std::size_t k = 0; k < half.size(); ++k)
            for (std::size_t m = 0; m < 4; ++m)
                half[k] += taps[m] * signal[(2 * k + m + signal.size() - 1) % signal.size()];
        signal = half;
    }
    return signal;
}

TEST(Db2, FilterHasThePublishedValues) {
    // Daubechies 1988, table 1 (to the 12 digits printed there).
    const double published[4] = {.482962913145, .836516303738, .224143868042, -.129409522551};
    const double root3 = std::sqrt(3.0), scale = 4 * std::sqrt(2.0);
    const double exact[4] = {(1 + root3) / scale, (3 + root3) / scale, (3 - root3) / scale,
                             (1 - root3) / scale};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(kDb2LowPass[i], published[i], 1e-12);
        EXPECT_DOUBLE_EQ(kDb2LowPass[i], exact[i]);
        EXPECT_EQ(kDb2HighPass[i], (i % 2 == 0 ? 1 : -1) * kDb2LowPass[3 - i]);
    }
}

TEST(Db2, FilterIsOrthonormalToItsEvenShiftsAndHasTwoVanishingMoments) {
    const auto& h = kDb2LowPass;
    const auto& g = kDb2HighPass;
    EXPECT_NEAR(h[0] * h[0] + h[1] * h[1] + h[2] * h[2] + h[3] * h[3], 1, 1e-15);
    EXPECT_NEAR(h[0] * h[2] + h[1] * h[3], 0, 1e-15);
    EXPECT_NEAR(h[0] + h[1] + h[2] + h[3], std::sqrt(2.0), 1e-15);
    EXPECT_NEAR(g[0] + g[1] + g[2] + g[3], 0, 1e-15);
    EXPECT_NEAR(g[1] + 2 * g[2] + 3 * g[3], 0, 1e-15);
}

TEST(Db2, MergeUndoesSplitForEveryEvenLength) {
    for (std::size_t length = 2; length <= 130; length += 2) {
        const auto signal = gaussian_signal(length, static_cast<unsigned>(length));
        std::vector<double> low(length / 2), high(length / 2), merged(length);
        db2_split(signal, low, high);
        db2_merge(low, high, merged);
        for (std::size_t i = 0; i < length; ++i) ASSERT_NEAR(merged[i], signal[i], 1e-12) << length;
    }
}

TEST(Packets, AgreeWithTheDefinitionInEveryBand) {
    for (const std::size_t length : {32u, 64u, 640u, 4000u}) {
        const auto signal = gaussian_signal(length, 7);
        auto coefficients = signal;
        packet_decompose(coefficients);
        const auto width = length / kPacketBands;
        for (unsigned band = 0; band < kPacketBands; ++band) {
            const auto expected = band_by_definition(signal, band);
            ASSERT_EQ(expected.size(), width);
            for (std::size_t k = 0; k < width; ++k)
                ASSERT_NEAR(coefficients[band * width + k], expected[k], 1e-12) << length << " band " << band;
        }
    }
}

TEST(Packets, AgreeWithPyWavelets) {
    // PyWavelets 1.1.1: WaveletPacket(x, 'db2', mode='periodization', maxlevel=5).get_level(5, 'natural')
    const double expected[64] = {
        0.008422777873625,  -0.040242583027020, 0.162377500832153,  0.112413015704221,  0.005421673156207,
        0.029049782426637,  0.043798649863251,  0.311066063433976,  0.009116690854600,  -0.342285193117392,
        -0.381234524987860, -0.394875351824681, -0.145106125176550, -0.000332328301201, -0.218470439588107,
        0.040298458612534,  0.625061862293892,  -0.365311256950575, -0.044921418407466, -0.173164076377282,
        0.144994007461184,  -0.033236037946702, -0.025610465829471, 0.048633112496560,  0.159056207693955,
        -0.289089103036806, -0.172471602182382, 0.274601819994717,  -0.134477121857490, 0.407597116090793,
        -0.083325637701071, 0.075120568874083,  0.041658312372324,  -0.091155787055382, -0.091063792830550,
        -0.125587018107464, 0.312031814312935,  0.194706376225335,  -0.379616191307239, 0.143716547736125,
        0.360343523765056,  0.930899098634138,  0.102070077518692,  -0.455195418466566, -0.077812555548530,
        -0.036208412917801, -0.098508862483016, -0.093886165001621, -0.152099535708184, -0.112177067538831,
        -0.406671881989873, 0.554266530469722,  -0.053948840738848, -0.010574653044424, -0.362361972306089,
        0.068734502578442,  0.243493955740323,  -0.414250171815685, 0.539817968363874,  -1.046435849849013,
        -0.018739329769297, 0.044765158286369,  0.039621471374108,  0.074910899294676};
    std::vector<double> values(64);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<double>((i * 37 + 11) % 101) / 100 - 0.5;
    packet_decompose(values);
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-14) << i;
}

TEST(Packets, ReconstructPerfectlyForEveryLength) {
    for (std::size_t length = 32; length <= 12000; length += length < 1024 ? 32 : 1568) {
        const auto signal = gaussian_signal(length, static_cast<unsigned>(length));
        auto values = signal;
        packet_decompose(values);
        packet_reconstruct(values);
        for (std::size_t i = 0; i < length; ++i) ASSERT_NEAR(values[i], signal[i], 1e-12) << length;
    }
}

TEST(Packets, AreOrthogonal) {
    for (const std::size_t length : {32u, 96u, 4000u}) {
        auto a = gaussian_signal(length, 1), b = gaussian_signal(length, 2);
        const double before_aa = dot(a, a), before_ab = dot(a, b);
        packet_decompose(a);
        packet_decompose(b);
        EXPECT_NEAR(dot(a, a) / before_aa, 1, 1e-13);
        EXPECT_NEAR(dot(a, b), before_ab, 1e-11);
    }
}

TEST(Packets, ConstantSignalLeavesTheDetailHalfEmpty) {
    std::vector<double> constant(640, 3.5);
    packet_decompose(constant);
    for (std::size_t i = 320; i < 640; ++i) EXPECT_NEAR(constant[i], 0, 1e-12);
}

}  // namespace
}  // namespace modelseal::baseline
