// Verdicts on answers that are coarse, noisy, or in a narrow format: never tampered for it, never intact by it.
#include <cmath>
#include <numeric>
#include <random>

#include <gmock/gmock.h>

#include "blackbox/interview.h"
#include "tests/support/models/two_classes.h"

namespace modelseal::blackbox {
namespace {

using Outcome = FingerprintFinding::Outcome;
using test::honest;
using test::judged;
using test::kPairs;
using test::two_classes;
using ::testing::HasSubstr;

// The other side chooses its decimals; it does not choose the rung.
TEST(JudgeCoarse, AnswersWithFewDecimalsAreInconclusiveUnlessTheWiderRungWasAskedFor) {
    const auto print = two_classes();
    auto answers = honest(print);
    answers.rounding = 5e-3;
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.outcome, Outcome::inconclusive);
    EXPECT_EQ(finding.rung, "fp32");
    EXPECT_THAT(finding.detail,
                HasSubstr("10 of 10 pairs cannot be judged: the answers are rounded by up to 5.0e-03"));
    EXPECT_THAT(finding.detail,
                HasSubstr("; the pairs on the rung mixed, which finds larger changes only, agree"));
    const auto wider = judged(print, {.answers = answers}, Rung::mixed);
    EXPECT_EQ(wider.outcome, Outcome::intact);
    EXPECT_THAT(wider.detail, HasSubstr("; on the rung mixed, which finds larger changes only"));
}

TEST(JudgeCoarse, AnswersTooCoarseForAnyRungAreInconclusive) {
    const auto print = two_classes();
    auto answers = honest(print);
    answers.rounding = 0.5;
    for (const auto rung : {std::optional<Rung>(), std::optional(Rung::mixed)}) {
        EXPECT_EQ(judged(print, {.answers = answers}, rung).outcome, Outcome::inconclusive);
    }
}

// One undecidable pair may be the one that flipped.
TEST(JudgeCoarse, AnUndecidablePairCountsAgainstIntact) {
    const auto print = two_classes();
    auto answers = honest(print);
    answers.rounding = 1e-4;
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::intact);
    answers.values[0] = answers.values[1] = 0;
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.outcome, Outcome::inconclusive);
    EXPECT_THAT(finding.detail, HasSubstr("1 of 10 pairs cannot be judged:"));
}

TEST(JudgeCoarse, MismatchesCountWhateverPairsAreUntold) {
    const auto print = two_classes();
    auto answers = honest(print);
    answers.rounding = 2e-3;  // no honest pair of fp32 can be told from that
    std::swap(answers.values[0], answers.values[1]);
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::inconclusive);
    answers.values[0] = -4e-3f;
    answers.values[1] = 4e-3f;
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.outcome, Outcome::tampered);
    EXPECT_EQ(finding.rung, "fp32");
    EXPECT_EQ(finding.rungs[0].untold, kPairs - 1);
}

// Answers that vary as those of honest runtimes do are judged as if they did not: floors allow for it.
TEST(JudgeCoarse, JitterOfHonestRuntimesHidesNothing) {
    const auto print = two_classes();
    auto answers = honest(print);
    EXPECT_EQ(judged(print, {.answers = answers, .jitter = 2.4e-4}).outcome, Outcome::intact);
    std::swap(answers.values[0], answers.values[1]);
    EXPECT_EQ(judged(print, {.answers = answers, .jitter = 2.4e-4}).outcome, Outcome::tampered);
}

TEST(JudgeCoarse, JitterBeyondThatOfHonestRuntimesIsInconclusive) {
    const auto print = two_classes();
    auto answers = honest(print);
    const auto finding = judged(print, {.answers = answers, .jitter = 2.6e-4});
    EXPECT_EQ(finding.outcome, Outcome::inconclusive);
    EXPECT_THAT(finding.detail, HasSubstr("vary by 2.6e-04"));
    EXPECT_EQ(judged(print, {.answers = answers, .jitter = 2.6e-4}, Rung::mixed).outcome, Outcome::intact);
    std::swap(answers.values[0], answers.values[1]);
    EXPECT_EQ(judged(print, {.answers = answers, .jitter = 2.6e-4}).outcome, Outcome::inconclusive);
    answers.values[0] = -1;
    answers.values[1] = 1;
    EXPECT_EQ(judged(print, {.answers = answers, .jitter = 2.6e-4}).outcome, Outcome::tampered)
        << "further than they vary";
    EXPECT_EQ(judged(print, {.answers = honest(print), .jitter = 1}, Rung::mixed).outcome,
              Outcome::inconclusive);
}

// An untouched model whose answers are spread by noise of any size: from far below the floor of fp32 to far
// beyond that of mixed.
TEST(JudgeCoarse, NoiseOfAnySizeIsNeverTampering) {
    const auto print = two_classes();
    const auto rows = honest(print);
    std::mt19937 random(3);
    std::vector<std::size_t> repeated(32);
    std::iota(repeated.begin(), repeated.end(), std::size_t{4});
    for (double deviation = 1e-5; deviation < 1; deviation *= 1.2) {
        std::normal_distribution<double> noise(0, deviation);
        for (int trial = 0; trial < 100; ++trial) {
            oracle::Answers answers{.count = rows.count + repeated.size(), .classes = 2, .values = rows.values};
            for (const auto row : repeated) {
                answers.values.insert(answers.values.end(), {rows.values[2 * row], rows.values[2 * row + 1]});
            }
            for (auto& value : answers.values) value += static_cast<float>(noise(random));
            const auto finding = judged(print, with_jitter(print, answers, repeated));
            ASSERT_NE(finding.outcome, Outcome::tampered) << deviation << ": " << finding.detail;
            if (deviation < 3e-5) {
                ASSERT_NE(finding.outcome, Outcome::inconclusive) << deviation;
            }
            if (deviation > 5e-3) {
                ASSERT_EQ(finding.outcome, Outcome::inconclusive) << deviation;
            }
        }
    }
}

// A service in half precision computes in it: it is off by more than its answers are rounded by.
TEST(JudgeCoarse, HalfPrecisionIsNeitherIntactNorTamperingUnlessItWasAskedFor) {
    const auto print = two_classes();
    auto answers = honest(print);
    answers.significand = oracle::kHalfBits;
    answers.rounding = 1e-4;
    for (std::size_t row = 0; row < 2 * kPairs; ++row) {
        answers.values[2 * row] -= 0.05f;
        answers.values[2 * row + 1] += 0.05f;
    }
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.outcome, Outcome::inconclusive);
    EXPECT_THAT(finding.detail, HasSubstr("11 bits of precision"));
    EXPECT_THAT(finding.hint, HasSubstr("the rung mixed"));
    EXPECT_EQ(judged(print, {.answers = answers}, Rung::mixed).outcome, Outcome::intact);
    for (std::size_t row = 0; row < kPairs; ++row) answers.values[2 * row + 1] += 0.2f;
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::tampered) << "further than half precision";
    answers.significand = oracle::kBfloat16Bits;
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::inconclusive) << "three bits less";
}

TEST(JudgeCoarse, HalfPrecisionWithoutARungForItIsInconclusive) {
    auto print = two_classes();
    print.pairs().rungs.pop_back();
    auto answers = honest(print);
    for (std::size_t row = 0; row < kPairs; ++row)
        std::swap(answers.values[2 * row], answers.values[2 * row + 1]);
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::tampered);
    answers.significand = oracle::kHalfBits;
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::inconclusive);
}

// With few digits the two classes of a boundary come out equal, and the lower one wins on both sides of it.
TEST(JudgeCoarse, LabelsOfRoundedOutputsAreNotTampering) {
    const auto print = two_classes(Access::label);
    auto answers = honest(print);
    for (auto& value : answers.values) value = std::round(value * 100) / 100;
    answers.rounding = 5e-3;
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::inconclusive);
}

TEST(JudgeCoarse, LabelsThatVaryAreInconclusive) {
    const auto print = two_classes(Access::label);
    oracle::Answers answers{.count = 4 * kPairs + 1};
    for (std::size_t row = 0; row < 4 * kPairs; ++row) answers.labels.push_back(row / kPairs % 2 == 0 ? 0 : 1);
    const std::vector<std::size_t> repeated = {5};
    answers.labels.push_back(0);
    EXPECT_EQ(judged(print, with_jitter(print, answers, repeated)).outcome, Outcome::intact);
    answers.labels.back() = 1;
    answers.labels[7] = 1;
    EXPECT_EQ(judged(print, with_jitter(print, answers, repeated)).outcome, Outcome::inconclusive);
}

// A probability of 0 shows nothing about its pair; it does not hide how the others moved.
TEST(JudgeCoarse, APairWithoutAMarginDoesNotHideTheDriftOfTheOthers) {
    auto print = two_classes(Access::probabilities);
    print.pairs().rungs.pop_back();
    print.pairs().rungs[0].drift = 1e-5;
    oracle::Answers answers{.count = 2 * kPairs, .classes = 2};
    for (const int member : {0, 1}) {
        for (const auto& pair : print.pairs().rungs[0].pairs) {
            const double logit = (pair.member[member].margin + 2e-4) * std::sqrt(2.0);
            const auto one = static_cast<float>(1 / (1 + std::exp(-logit)));
            answers.values.insert(answers.values.end(), {1 - one, one});
        }
    }
    answers.values[0] = 1;
    answers.values[1] = 0;
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::tampered);
}

// An answer far on the other side is a mismatch however coarse the answers are.
TEST(JudgeCoarse, CoarseAnswersStillShowLargeChanges) {
    const auto print = two_classes();
    auto answers = honest(print);
    answers.rounding = 0.5;
    for (std::size_t row = 0; row < kPairs; ++row) {
        answers.values[2 * row] = -50;
        answers.values[2 * row + 1] = 50;
    }
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::tampered);
}

TEST(JudgeCoarse, RoundedProbabilitiesOfZeroShowNothing) {
    const auto print = two_classes(Access::probabilities);
    auto answers = honest(print);
    for (std::size_t at = 0; at < answers.values.size(); at += 2) {
        answers.values[at] = 0;
        answers.values[at + 1] = 1;
    }
    answers.rounding = 5e-4;
    const auto finding = judged(print, {.answers = answers});
    EXPECT_NE(finding.outcome, Outcome::intact);
}

}  // namespace
}  // namespace modelseal::blackbox
