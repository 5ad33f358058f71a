// The bound on chance of a claim, against values computed in other ways, and its controls.
#include "identity/claim.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/models/small_mark.h"

namespace modelseal::identity {
namespace {

TEST(ClaimChance, OfNoControlHitRestsOnTheClosedFormOfTheBound) {
    // With no hit the bound of Clopper and Pearson solves (1 - p)^n = risk.
    const auto chance = chance_of(10, 10, 0, 200, 11);
    EXPECT_NEAR(chance.rate, 1 - std::pow(kControlRisk, 1.0 / 200), 1e-12);
    EXPECT_NEAR(chance.chance, kControlRisk + std::pow(chance.rate, 10), 1e-15);
}

TEST(ClaimChance, IsTheTailOfABinomialDistribution) {
    const auto chance = chance_of(3, 5, 0, 200, 2);  // rate 1/2
    EXPECT_DOUBLE_EQ(chance.rate, 0.5);
    EXPECT_NEAR(chance.chance, (10 + 5 + 1) / 32.0, 1e-8);
}

TEST(ClaimChance, UsesTheClassesIfTheControlsAllowLess) {
    EXPECT_DOUBLE_EQ(chance_of(5, 10, 0, 4000, 5).rate, 0.2);
    EXPECT_GT(chance_of(5, 10, 0, 200, 1000).rate, 0.09);
}

TEST(ClaimChance, IsEnoughWithSixKeyImages) {
    EXPECT_LE(chance_of(6, 6, 0, kLeastControls, 11).chance, 1e-6);
    EXPECT_GT(chance_of(5, 5, 0, kLeastControls, 11).chance, 1e-6);
}

TEST(ClaimChance, GivesNothingForAModelThatAlwaysAnswersTheClass) {
    EXPECT_DOUBLE_EQ(chance_of(100, 100, 200, 200, 11).chance, 1);
    EXPECT_GT(chance_of(100, 100, 190, 200, 11).chance, 0.1);
    EXPECT_DOUBLE_EQ(chance_of(0, 100, 0, 200, 11).chance, 1);
}

// Clopper and Pearson: the probability of at most 20 of 200 at the bound is the risk.
TEST(ClaimChance, BoundsTheRateOfSomeControlHits) {
    const double rate = chance_of(1, 100, 20, 200, 1000).rate;
    double sum = 0;
    for (int k = 0; k <= 20; ++k) {
        const double choose = std::lgamma(201) - std::lgamma(k + 1) - std::lgamma(201 - k);
        sum += std::exp(choose + k * std::log(rate) + (200 - k) * std::log1p(-rate));
    }
    EXPECT_NEAR(sum / kControlRisk, 1, 1e-6);
}

TEST(ClaimControls, AreShufflesAndNoiseOfTheSameSize) {
    const std::vector<io::Picture> keys = {test::noise_picture(28, 28, 3, 1),
                                           test::noise_picture(28, 28, 3, 2)};
    const auto controls = make_controls(keys);
    ASSERT_EQ(controls.size(), kLeastControls);
    for (std::size_t i = 0; i < controls.size(); ++i) {
        ASSERT_EQ(controls[i].samples.size(), keys[0].samples.size());
        for (const auto& key : keys) EXPECT_NE(controls[i].samples, key.samples);
        if (i % 2 != 0) continue;
        auto expected = keys[i / 2 % 2].samples, found = controls[i].samples;
        std::ranges::sort(expected);
        std::ranges::sort(found);
        EXPECT_EQ(found, expected) << "control " << i << " is not a shuffle";
    }
    EXPECT_EQ(make_controls(keys)[7].samples, controls[7].samples);
    EXPECT_EQ(make_controls(std::vector(300, keys[0])).size(), 300u);
}

}  // namespace
}  // namespace modelseal::identity
