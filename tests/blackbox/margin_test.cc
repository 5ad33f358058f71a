// Margins of outputs, and how sure they are.
#include "blackbox/margin.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace modelseal::blackbox {
namespace {

const std::vector<double> kWeights = {0.5, -0.25, -0.25};

Outputs outputs_with(std::vector<float> values, unsigned significand, double rounding = 0) {
    auto outputs = outputs_of({.count = 1,
                               .classes = 3,
                               .values = std::move(values),
                               .rounding = rounding,
                               .significand = significand},
                              3, "model");
    EXPECT_TRUE(outputs.ok());
    return *outputs;
}

TEST(MarginOfOutputs, IsExactInFloat32) {
    const auto scored = score(outputs_with({16, 2, -1}, oracle::kFloat32Bits), 0, {kWeights, 0, {}, 3});
    EXPECT_EQ(scored.margin, 0.5 * 16 - 0.25 * 2 + 0.25 - 3);
    EXPECT_EQ(scored.doubt, 0);
    EXPECT_EQ(scored.label, 0);
}

// Not by that of the largest of all answers.
TEST(MarginOfOutputs, OfNarrowAnswersIsDoubtedByTheStepOfEach) {
    const auto bfloat16 = score(outputs_with({16, 2, -1}, oracle::kBfloat16Bits), 0, {kWeights});
    EXPECT_DOUBLE_EQ(bfloat16.doubt, 0.5 * 0x1p-4 + 0.25 * 0x1p-7 + 0.25 * 0x1p-8);
    const auto half = score(outputs_with({16, 2, -1}, oracle::kHalfBits, 1e-3), 0, {kWeights});
    EXPECT_DOUBLE_EQ(half.doubt, 1e-3 + 0.5 * 0x1p-7 + 0.25 * 0x1p-10 + 0.25 * 0x1p-11);
}

// The sum of a softmax in bfloat16 is off by more than its values are rounded by.
TEST(MarginOfOutputs, OfNarrowAnswersThatSumToAboutOneAreProbabilities) {
    EXPECT_TRUE(outputs_with({0.9f, 0.05f, 0.06f}, oracle::kBfloat16Bits).probabilities);
    EXPECT_FALSE(outputs_with({0.9f, 0.05f, 0.06f}, oracle::kFloat32Bits).probabilities);
    EXPECT_FALSE(outputs_with({0.9f, 0.05f, 0.07f}, oracle::kBfloat16Bits).probabilities);
}

// A probability of half precision has nearly as many digits when it is small; one of a few decimals has none then.
TEST(MarginOfOutputs, OfSmallProbabilitiesIsKnownInHalfPrecision) {
    const float small = 0x1p-10f;
    const std::vector<float> values = {1 - 2 * small, small, small};
    const auto half = score(outputs_with(values, oracle::kHalfBits), 0, {kWeights});
    EXPECT_LT(half.doubt, 2e-3);
    EXPECT_GT(half.doubt, 0.5 * 0x1p-11);
    const auto decimals = score(outputs_with(values, oracle::kFloat32Bits, 1e-3), 0, {kWeights});
    EXPECT_EQ(decimals.doubt, std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace modelseal::blackbox
