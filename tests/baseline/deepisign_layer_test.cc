#include "baseline/deepisign_layer.h"

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace modelseal::baseline {
namespace {

using Weights = std::vector<float>;
using Key = std::array<std::byte, 32>;

Key key_of(int seed) {
    Key key{};
    key[0] = static_cast<std::byte>(seed);
    return key;
}

Weights gaussian(std::size_t count, unsigned seed, double sigma = 0.02) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal(0, 1);
    Weights weights(count);
    for (auto& weight : weights) weight = static_cast<float>(sigma * normal(engine));
    return weights;
}

std::vector<Bit> random_bits(std::size_t count, unsigned seed) {
    std::mt19937_64 engine(seed);
    std::vector<Bit> bits(count);
    for (auto& bit : bits) bit = (engine() & 1u) != 0 ? Bit::one : Bit::zero;
    return bits;
}

LoadWeights loads(const Weights& weights) {
    return [&](std::uint64_t first, std::span<double> out) -> Result<void> {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(weights[first + i]);
        return {};
    };
}

// A layer of f32 in memory under one key and number.
struct Layer {
    explicit Layer(std::size_t weights, int key = 1, std::uint64_t number = 0,
                   const DeepisignParameters& parameters = {})
        : cut(weights, parameters), carriers(carriers_of(cut, key_of(key), number)) {}
    bool embed(Weights& weights, std::span<const Bit> hidden) const {
        const auto store = [&](std::uint64_t first, std::span<const double> marked) -> Result<void> {
            for (std::size_t i = 0; i < marked.size(); ++i) weights[first + i] = static_cast<float>(marked[i]);
            return {};
        };
        return embed_layer(cut, carriers, hidden, DType::f32, loads(weights), store).ok();
    }
    std::vector<Bit> read(const Weights& weights) const {
        return read_layer(cut, carriers, loads(weights)).value();
    }
    std::size_t errors(const Weights& weights, const std::vector<Bit>& hidden) const {
        return compare_bits(read(weights), hidden, cut.level()).errors;
    }
    LayerCut cut;
    std::vector<SymbolCarrier> carriers;
};

TEST(LayerCut, CoversAllRowsWithTransformsOfAtMost12000Weights) {
    for (std::uint64_t weights = 32; weights < 200'000; weights += weights < 30'000 ? 1 : 977) {
        const LayerCut cut(weights);
        std::uint64_t next = 0;
        for (std::uint64_t i = 0; i < cut.transforms(); ++i) {
            ASSERT_EQ(cut.first_weight(i), next);
            ASSERT_EQ(cut.weights(i) % 32, 0u);
            ASSERT_LE(cut.weights(i), 12'000u);
            ASSERT_GE(cut.weights(i), weights < 4'032 ? 32u : 4'000u);
            ASSERT_EQ(cut.transform_of(next / 2), i);
            next += cut.weights(i);
            ASSERT_EQ(cut.transform_of(next / 2 - 1), i);
        }
        ASSERT_EQ(next, weights / 32 * 32);
        ASSERT_EQ(cut.carriers(), next / 2);
    }
}

TEST(LayerCut, WorksForAnyNumberOfWeights) {
    const auto most = std::numeric_limits<std::uint64_t>::max();
    const LayerCut cut(most);
    EXPECT_EQ(cut.first_weight(cut.transforms()), most / 32 * 32);
    EXPECT_EQ(cut.transform_of(cut.carriers() - 1), cut.transforms() - 1);
    EXPECT_EQ(cut.bits(), 8192u);
}

TEST(LayerCut, HidesOneBitPerWeightUpTo8192) {
    EXPECT_EQ(LayerCut(31).bits(), 0u);
    EXPECT_EQ(LayerCut(640).bits(), 640u);
    EXPECT_EQ(LayerCut(8191).bits(), 8160u);
    EXPECT_EQ(LayerCut(8192).bits(), 8192u);
    EXPECT_EQ(LayerCut(5'000'000).bits(), 8192u);
}

TEST(Scramble, GivesDistinctCarriersThatDependOnKeyAndLayer) {
    const auto order = scramble(key_of(1), 3, 5000, 4096);
    const std::set<std::uint64_t> distinct(order.begin(), order.end());
    EXPECT_EQ(distinct.size(), 4096u);
    EXPECT_LT(*distinct.rbegin(), 5000u);
    EXPECT_EQ(order, scramble(key_of(1), 3, 5000, 4096));
    EXPECT_NE(order, scramble(key_of(2), 3, 5000, 4096));
    EXPECT_NE(order, scramble(key_of(1), 4, 5000, 4096));
}

TEST(Scramble, RepeatsAfter256LayersBecauseTheVectorHas256Values) {
    EXPECT_EQ(scramble(key_of(1), 5, 1000, 100), scramble(key_of(1), 261, 1000, 100));
}

TEST(Scramble, OfAllCarriersIsAPermutation) {
    auto order = scramble(key_of(1), 0, 777, 777);
    std::ranges::sort(order);
    for (std::size_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], i);
}

TEST(Place, PutsEverySymbolIntoABandFrom17To32OfItsTransform) {
    for (const std::uint64_t weights : {640u, 9216u, 36'864u, 1'000'003u}) {
        const LayerCut cut(weights);
        const auto carriers = carriers_of(cut, key_of(1), 2);
        std::set<std::pair<std::uint64_t, std::uint32_t>> places;
        std::set<std::uint32_t> symbols;
        for (const auto& carrier : carriers) {
            ASSERT_LT(carrier.transform, cut.transforms());
            ASSERT_GE(carrier.coefficient, cut.weights(carrier.transform) / 2);
            ASSERT_LT(carrier.coefficient, cut.weights(carrier.transform));
            places.emplace(carrier.transform, carrier.coefficient);
            symbols.insert(carrier.symbol);
        }
        EXPECT_EQ(places.size(), cut.bits() / 2);
        EXPECT_EQ(symbols.size(), cut.bits() / 2);
    }
}

TEST(DeepisignLayer, ReadsBackEveryBitFromGaussianWeightsStoredAsF32) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        const std::size_t weights = seed % 4 == 0   ? 36'864
                                    : seed % 4 == 1 ? 8192
                                    : seed % 4 == 2 ? 2304
                                                    : 10'007;
        const Layer layer(weights, static_cast<int>(seed), seed);
        const auto hidden = random_bits(layer.cut.bits(), seed);
        auto marked = gaussian(weights, seed);
        ASSERT_TRUE(layer.embed(marked, hidden));
        ASSERT_EQ(layer.errors(marked, hidden), 0u) << seed;
    }
}

TEST(DeepisignLayer, ReadsBackFromWeightsOfAnyUsualSize) {
    for (const double sigma : {0.0, 1e-6, 1e-3, 0.3, 2.0, 30.0}) {
        const Layer layer(9216);
        const auto hidden = random_bits(layer.cut.bits(), 1);
        auto marked = gaussian(9216, 5, sigma);
        ASSERT_TRUE(layer.embed(marked, hidden)) << sigma;
        EXPECT_EQ(layer.errors(marked, hidden), 0u) << sigma;
    }
}

class DeepisignLevels : public testing::TestWithParam<unsigned> {};

TEST_P(DeepisignLevels, ReadsBackEveryBitAndMovesWeightsByTheSizeOfACell) {
    const auto level = GetParam();
    const Layer layer(36'864, 1, 0, {.level = level, .transform_weights = 4000, .layer_bits = 1'000'000});
    EXPECT_EQ(layer.cut.bits(), level * 36'864u / 2);  // all coefficients of bands 17-32 carry
    const auto hidden = random_bits(layer.cut.bits(), level);
    const auto original = gaussian(36'864, 1);
    auto marked = original;
    ASSERT_TRUE(layer.embed(marked, hidden));
    EXPECT_EQ(layer.errors(marked, hidden), 0u);
    double squares = 0;
    for (std::size_t i = 0; i < marked.size(); ++i)
        squares += std::pow(static_cast<double>(marked[i]) - static_cast<double>(original[i]), 2);
    // From anywhere in a cell of 2^level values to the center of any of them; half of the coefficients carry.
    const double cell = std::exp2(level);
    const auto expected = 1e-4 * std::sqrt((2 * cell * cell - 1) / 24);
    EXPECT_NEAR(std::sqrt(squares / 36'864), expected, 0.02 * expected);
}

TEST_P(DeepisignLevels, HidesWholeBytesAndWholeSymbols) {
    for (const std::uint64_t weights : {640u, 5000u, 8192u, 100'000u}) {
        const LayerCut cut(weights, {.level = GetParam()});
        EXPECT_EQ(cut.bits() % (8 * GetParam()), 0u) << weights;
        EXPECT_LE(cut.bits(), 8192u) << weights;
    }
}

INSTANTIATE_TEST_SUITE_P(OneToFour, DeepisignLevels, testing::Range(1u, 5u));

TEST(DeepisignLayer, RefusesWeightsThatCannotHoldFourDecimals) {
    const Layer layer(4096);
    const auto hidden = random_bits(layer.cut.bits(), 1);
    for (const float bad : {1e5f, std::numeric_limits<float>::max(), -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
        auto weights = gaussian(4096, 1);
        for (std::size_t i = 0; i < weights.size(); i += 7) weights[i] = bad;
        EXPECT_FALSE(layer.embed(weights, hidden)) << bad;
    }
}

TEST(DeepisignLayer, ReadsSomethingFromAnyWeights) {
    const Layer layer(4096);
    for (const float odd : {0.0f, 1e30f, std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        const auto bits = layer.read(Weights(4096, odd));
        for (const auto bit : bits) ASSERT_NE(bit, Bit::unknown);
    }
}

// The control: what the paper prints, without the half that centres a value in its cell.
TEST(DeepisignLayer, WithoutCenteringAboutHalfOfTheSymbolsAreMisreadFromF32) {
    const Layer layer(8192);
    const auto hidden = random_bits(layer.cut.bits(), 1);
    const auto original = gaussian(8192, 1);
    std::vector<double> values(original.begin(), original.end());
    packet_decompose(values);
    for (const auto& place : layer.carriers) {
        auto& value = values[place.coefficient];
        const auto scaled = static_cast<std::int64_t>(std::floor((value + 1) * 10'000));  // delta 1, rho 10,000
        const auto symbol =
            static_cast<int>(hidden[2 * place.symbol]) * 2 + static_cast<int>(hidden[2 * place.symbol + 1]);
        value = static_cast<double>(scaled - scaled % 4 + symbol) / 10'000 - 1;
    }
    packet_reconstruct(values);
    const Weights stored(values.begin(), values.end());
    const auto seen = layer.read(stored);
    std::size_t misread = 0;
    for (std::size_t i = 0; i < hidden.size(); i += 2) {
        if (seen[i] != hidden[i] || seen[i + 1] != hidden[i + 1]) ++misread;
    }
    EXPECT_NEAR(static_cast<double>(misread) / 4096, 0.5, 0.05);
}

TEST(DeepisignLayer, AnIntegerDeltaDoesNotMatterToTheReader) {
    // The lowest coefficient decides delta; a far lower one in another place leaves all symbols as they were.
    const Layer layer(4096);
    const auto hidden = random_bits(layer.cut.bits(), 1);
    auto marked = gaussian(4096, 1);
    ASSERT_TRUE(layer.embed(marked, hidden));
    std::vector<double> values(marked.begin(), marked.end());
    packet_decompose(values);
    values[layer.carriers.front().coefficient] -= 17 * 4e-4;  // whole cells of four: even its own symbol stays
    values[layer.carriers.back().coefficient] -= 500;
    packet_reconstruct(values);
    EXPECT_EQ(layer.errors(Weights(values.begin(), values.end()), hidden), 0u);
}

TEST(DeepisignLayer, MovesWeightsByAboutATenThousandth) {
    const Layer layer(8192);
    double squares = 0, largest = 0, before = 0;
    for (unsigned seed = 0; seed < 10; ++seed) {
        const auto original = gaussian(8192, seed);
        auto marked = original;
        ASSERT_TRUE(layer.embed(marked, random_bits(layer.cut.bits(), seed)));
        for (std::size_t i = 0; i < marked.size(); ++i) {
            const double moved = static_cast<double>(marked[i]) - static_cast<double>(original[i]);
            squares += moved * moved;
            before += static_cast<double>(original[i]) * static_cast<double>(original[i]);
            largest = std::max(largest, std::abs(moved));
        }
    }
    EXPECT_NEAR(std::sqrt(squares / 81'920), 1.1e-4, 0.1e-4);
    EXPECT_LT(largest, 1e-3);
    EXPECT_LT(std::sqrt(squares / before), 0.01);  // of the layer's norm: what an activation can differ by
}

TEST(DeepisignLayer, LeavesTheApproximationHalfAndTheTailAsTheyWere) {
    const auto original = gaussian(8192 + 31, 3);
    auto marked = original;
    const Layer layer(marked.size());
    ASSERT_TRUE(layer.embed(marked, random_bits(layer.cut.bits(), 1)));
    std::vector<double> a(original.begin(), original.end() - 31), b(marked.begin(), marked.end() - 31);
    packet_decompose(a);
    packet_decompose(b);
    for (std::size_t i = 0; i < 4096; ++i) ASSERT_NEAR(a[i], b[i], 1e-7);  // f32 rounding only
    EXPECT_TRUE(std::equal(original.end() - 31, original.end(), marked.end() - 31));
}

class DeepisignSensitivity : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(layer.embed(marked, hidden)); }
    // In how many of `tries` a weight somewhere, moved by `step`, gives a bit error.
    int noticed(int tries, float step) {
        std::mt19937 engine(1);
        int count = 0;
        for (int i = 0; i < tries; ++i) {
            auto changed = marked;
            changed[engine() % changed.size()] += step;
            if (layer.errors(changed, hidden) != 0) ++count;
        }
        return count;
    }
    Layer layer{8192};
    std::vector<Bit> hidden = random_bits(8192, 1);
    Weights marked = gaussian(8192, 1);
};

TEST_F(DeepisignSensitivity, AWeightMovedByAThousandthIsNoticed) {
    EXPECT_EQ(noticed(150, 1e-3f), 150);
}

TEST_F(DeepisignSensitivity, AWeightMovedByATenThousandthIsHardlyEverNoticed) {
    EXPECT_LT(noticed(150, 1e-4f), 15);
}

TEST_F(DeepisignSensitivity, AWeightMovedByAHundredThousandthIsNotNoticed) {
    EXPECT_EQ(noticed(150, 1e-5f), 0);
}

TEST_F(DeepisignSensitivity, MantissaBit8OfAWeightIsNotNoticed) {
    for (std::size_t i = 0; i < marked.size(); i += 61) {
        auto changed = marked;
        changed[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(changed[i]) ^ 1u << 8);
        ASSERT_EQ(layer.errors(changed, hidden), 0u) << i;
    }
}

TEST_F(DeepisignSensitivity, AnEditConfinedToBands1To16IsNotNoticedHoweverLarge) {
    std::vector<double> values(marked.begin(), marked.end());
    packet_decompose(values);
    std::mt19937_64 engine(1);
    std::normal_distribution<double> normal(0, 0.01);
    for (std::size_t i = 0; i < 4096; ++i) values[i] += normal(engine);
    packet_reconstruct(values);
    const Weights changed(values.begin(), values.end());
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < marked.size(); ++i) {
        difference += std::pow(static_cast<double>(changed[i]) - static_cast<double>(marked[i]), 2);
        norm += std::pow(static_cast<double>(marked[i]), 2);
    }
    EXPECT_GT(std::sqrt(difference / norm), 0.33);
    EXPECT_EQ(layer.errors(changed, hidden), 0u);
}

TEST_F(DeepisignSensitivity, FineTuningAllWeightsMakesHalfOfTheBitsWrong) {
    auto changed = marked;
    const auto step = gaussian(8192, 9, 1e-3);
    for (std::size_t i = 0; i < changed.size(); ++i) changed[i] += step[i];
    EXPECT_NEAR(static_cast<double>(layer.errors(changed, hidden)) / 8192, 0.5, 0.03);
}

TEST_F(DeepisignSensitivity, AnotherKeyOrLayerNumberReadsNoise) {
    EXPECT_NEAR(static_cast<double>(Layer(8192, 2).errors(marked, hidden)) / 8192, 0.5, 0.03);
    EXPECT_NEAR(static_cast<double>(Layer(8192, 1, 1).errors(marked, hidden)) / 8192, 0.5, 0.03);
}

}  // namespace
}  // namespace modelseal::baseline
