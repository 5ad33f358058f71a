// Verdicts on answers: what accuses a model, and what counts for it.
#include "blackbox/pairs/judge.h"

#include <cmath>

#include <gmock/gmock.h>

#include "blackbox/verdict.h"
#include "tests/support/models/two_classes.h"

namespace modelseal::blackbox {
namespace {

using Outcome = FingerprintFinding::Outcome;
using Decision = FingerprintFinding::Decision;
using test::honest;
using test::judged;
using test::kPairs;
using test::two_classes;
using ::testing::HasSubstr;

TEST(Judge, HonestAnswersAreIntactWithABoundOnFalseAlarms) {
    const auto print = two_classes();
    const auto finding = judged(print, {.answers = honest(print)});
    EXPECT_EQ(finding.outcome, Outcome::intact);
    EXPECT_EQ(finding.compared, kPairs);
    EXPECT_EQ(finding.threshold, 1u);
    EXPECT_EQ(finding.false_alarm_bound, kFalseAlarms) << "nothing smaller can be measured";
    EXPECT_EQ(finding.arithmetic, "float32");
    EXPECT_EQ(finding.decided_by, Decision::none);
}

TEST(Judge, OneMemberOnTheOtherSideIsTampering) {
    const auto print = two_classes();
    auto answers = honest(print);
    std::swap(answers.values[0], answers.values[1]);
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.outcome, Outcome::tampered);
    EXPECT_EQ(finding.mismatched, 1u);
    EXPECT_EQ(finding.decided_by, Decision::flips);
    EXPECT_EQ(finding.false_alarm_bound, kFalseAlarms);
    const auto& details = std::get<FingerprintFinding::Pairs>(finding.details).rungs[0];
    EXPECT_EQ(details.moved[0], (std::array{true, false}));
    EXPECT_EQ(details.moved[1], (std::array{false, false}));
}

// Made-up answers keep sides right more easily than sizes.
TEST(Judge, AMarginThatMovesAsFarAwayFromTheBoundaryIsTampering) {
    const auto print = two_classes();
    const auto strayed = [&](float factor) {
        auto answers = honest(print);
        for (const std::size_t i : {0u, 1u}) answers.values[i] *= factor;
        return judged(print, {.answers = answers});
    };
    EXPECT_EQ(strayed(1.9f).outcome, Outcome::intact);
    EXPECT_EQ(strayed(2.1f).outcome, Outcome::tampered);
    EXPECT_EQ(strayed(2.1f).mismatched, 1u);
    EXPECT_EQ(strayed(1e6f).outcome, Outcome::tampered);
}

TEST(Judge, APairThatMovesByLessThanItsRoundingIsUntold) {
    const auto print = two_classes();
    auto answers = honest(print);
    for (const std::size_t i : {0u, 1u}) answers.values[i] *= 2.1f;
    answers.rounding = 0.1e-3;
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.mismatched, 0u);
    EXPECT_EQ(finding.outcome, Outcome::inconclusive);
}

TEST(Judge, LabelsBoundMarginsOnOneSideOnly) {
    auto measured = two_classes(), print = two_classes(Access::label);
    for (auto* one : {&measured, &print})
        for (auto& rung : one->pairs().rungs) rung.scale = rung.floor / 2 / std::log(2 * kPairs / 8e-7);
    EXPECT_EQ(judged(measured, {.answers = honest(measured)}).threshold, 2u);
    oracle::Answers labels{.count = 4 * kPairs, .classes = 0, .values = {}, .labels = {}};
    for (std::size_t row = 0; row < labels.count; ++row) labels.labels.push_back(row / kPairs % 2);
    EXPECT_EQ(judged(print, {.answers = labels}).threshold, 1u) << "half the chance";
}

// Noise of the size of the margins takes more than one mismatch.
TEST(Judge, NoisierRungsTakeMoreMismatches) {
    auto print = two_classes();
    print.pairs().rungs[0].scale = 1e-4;
    auto answers = honest(print);
    const auto threshold = judged(print, {.answers = answers}).threshold;
    ASSERT_GT(threshold, 1u);
    for (std::size_t row = 0; row + 1 < threshold; ++row) {
        std::swap(answers.values[2 * row], answers.values[2 * row + 1]);
    }
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::other_runtime);
    std::swap(answers.values[2 * threshold], answers.values[2 * threshold + 1]);
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::tampered);
}

TEST(Judge, MismatchesOnACoarserRungCount) {
    const auto print = two_classes();
    auto answers = honest(print);
    std::swap(answers.values[4 * kPairs], answers.values[4 * kPairs + 1]);
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.outcome, Outcome::tampered);
    EXPECT_EQ(finding.rung, "mixed");
}

TEST(Judge, MismatchesOnAFinerRungDoNotCount) {
    const auto print = two_classes();
    auto answers = honest(print);
    std::swap(answers.values[0], answers.values[1]);
    EXPECT_EQ(judged(print, {.answers = answers}, Rung::mixed).outcome, Outcome::other_runtime);
}

// Which batches a service makes of its requests is luck, and whether it answers twice alike: neither decides about its outcome.
TEST(Judge, TheExactRungOfAServiceDecidesNothing) {
    auto print = two_classes();
    print.pairs().rungs.insert(print.pairs().rungs.begin(),
                               test::rung_of(Rung::exact, 2 * std::sqrt(0.5) * static_cast<double>(1e-6f), 0));
    auto flipped = honest(print);
    for (std::size_t row = 0; row < 6; ++row) std::swap(flipped.values[2 * row], flipped.values[2 * row + 1]);
    EXPECT_EQ(judged(print, {.answers = honest(print)}).outcome, Outcome::intact);
    EXPECT_EQ(judged(print, {.answers = flipped}).outcome, Outcome::intact);
    EXPECT_EQ(judged(print, {.answers = flipped, .jitter = 1e-6}).outcome, Outcome::intact);
}

// All pairs on fp32 differ and none on mixed: a changed model, or less than float32. A file that is run here is not.
TEST(Judge, NarrowArithmeticOfAServiceIsNamed) {
    const auto print = two_classes();
    auto answers = honest(print);
    for (std::size_t row = 0; row < 2 * kPairs; ++row)
        std::swap(answers.values[2 * row], answers.values[2 * row + 1]);
    const auto served = judged(print, {.answers = answers});
    EXPECT_EQ(served.outcome, Outcome::tampered);
    EXPECT_TRUE(served.reduced_precision_possible);
    EXPECT_EQ(served.remedy, Remedy::use_mixed_rung);
    EXPECT_FALSE(judged(print, {.answers = answers, .local = true}).reduced_precision_possible);
    EXPECT_NE(judged(print, {.answers = answers}, Rung::mixed).outcome, Outcome::tampered);
    std::swap(answers.values[4 * kPairs], answers.values[4 * kPairs + 1]);
    EXPECT_FALSE(judged(print, {.answers = answers}).reduced_precision_possible) << "mixed differs, too";
}

TEST(Judge, WithoutTheRungMixedNarrowArithmeticCannotBeRuledOut) {
    auto print = two_classes();
    std::erase_if(print.pairs().rungs, [](const auto& rung) { return rung.rung == Rung::mixed; });
    auto answers = honest(print);
    std::swap(answers.values[0], answers.values[1]);
    const auto served = judged(print, {.answers = answers});
    EXPECT_EQ(served.outcome, Outcome::tampered);
    EXPECT_TRUE(served.reduced_precision_possible);
    EXPECT_EQ(served.remedy, Remedy::none);
    EXPECT_THAT(served.hint, HasSubstr("nothing on the rung mixed"));
    EXPECT_FALSE(judged(print, {.answers = answers, .local = true}).reduced_precision_possible);
}

TEST(Judge, HeadroomIsTheLeastMarginInUnitsOfTheNoise) {
    auto print = two_classes();
    auto& fp32 = print.pairs().rungs[0];
    fp32.noise = fp32.floor / 3;
    EXPECT_GE(judged(print, {.answers = honest(print)}).headroom, 3);
    EXPECT_LT(judged(print, {.answers = honest(print)}).headroom, 7);
}

// Honest runtimes flip exact pairs; only the very same one must not.
TEST(Judge, ExactPairsSayNothingOfTheModelOnAnotherRuntime) {
    auto print = two_classes();
    const double margin =
        2 * std::sqrt(0.5) * static_cast<double>(1e-6f);  // to the bit what comes of the answers
    print.pairs().rungs.insert(print.pairs().rungs.begin(), test::rung_of(Rung::exact, margin, 0));
    auto answers = honest(print);
    EXPECT_EQ(judged(print, {.answers = answers}, Rung::exact).outcome, Outcome::intact);
    for (std::size_t row = 0; row < 6; ++row) std::swap(answers.values[2 * row], answers.values[2 * row + 1]);
    EXPECT_EQ(judged(print, {.answers = answers, .local = true}).outcome, Outcome::other_runtime);
    EXPECT_EQ(judged(print, {.answers = answers}, Rung::exact).outcome, Outcome::inconclusive);
    for (const auto rung : {std::optional<Rung>(), std::optional(Rung::exact)}) {
        const auto finding = judged(print, {.answers = answers, .local = true, .same_runtime = true}, rung);
        EXPECT_EQ(finding.outcome, Outcome::tampered);
        EXPECT_EQ(finding.decided_by, Decision::exact);
        EXPECT_FALSE(finding.false_alarm_bound);
    }
    print.pairs().rungs[0].noise = 1e-7;  // it did not repeat itself when the fingerprint was made
    EXPECT_EQ(judged(print, {.answers = answers, .local = true, .same_runtime = true}).outcome,
              Outcome::other_runtime);
}

TEST(Judge, TooMuchNoiseForTheNumberOfPairsIsInconclusive) {
    auto print = two_classes();
    print.pairs().rungs.pop_back();
    print.pairs().rungs[0].scale = 1e-2;
    const auto finding = judged(print, {.answers = honest(print)});
    EXPECT_EQ(finding.outcome, Outcome::inconclusive);
    EXPECT_THAT(finding.detail, HasSubstr("too few pairs"));
}

// Each rung that counts may give a false alarm; together they keep to the bound.
TEST(Judge, RungsShareTheChanceOfAFalseAlarm) {
    auto print = two_classes();
    for (auto& rung : print.pairs().rungs) rung.scale = rung.floor / 2 / std::log(2 * kPairs / 8e-7);
    const auto both = judged(print, {.answers = honest(print)});
    EXPECT_EQ(both.threshold, 2u);
    EXPECT_EQ(both.false_alarm_bound, kFalseAlarms);
    const auto one = judged(print, {.answers = honest(print)}, Rung::mixed);
    EXPECT_EQ(one.threshold, 1u);
    EXPECT_EQ(one.false_alarm_bound, kFalseAlarms);
}

// Training moves all margins alike; rounding moves each its own way.
TEST(Judge, MarginsThatMoveTogetherAreTampering) {
    auto print = two_classes();
    print.pairs().rungs[0].drift = 1e-5;
    auto together = honest(print), apart = honest(print);
    for (std::size_t row = 0; row < together.count; ++row) {
        together.values[2 * row + 1] += 1e-4f;
        apart.values[2 * row + 1] += row % 2 == 0 ? 1e-4f : -1e-4f;
    }
    const auto finding = judged(print, {.answers = together});
    EXPECT_EQ(finding.outcome, Outcome::tampered);
    EXPECT_EQ(finding.mismatched, 0u);
    EXPECT_EQ(finding.decided_by, Decision::drift);
    EXPECT_FALSE(finding.false_alarm_bound) << "no model covers it";
    EXPECT_THAT(finding.detail, HasSubstr("moved together"));
    EXPECT_EQ(judged(print, {.answers = apart}).outcome, Outcome::intact);
    together.rounding = 1e-3;
    EXPECT_NE(judged(print, {.answers = together}).outcome, Outcome::tampered) << "that may be the rounding";
    together.rounding = 1e-4;
    const auto doubtful = judged(print, {.answers = together});
    EXPECT_EQ(doubtful.rungs[0].untold, 0u);
    EXPECT_EQ(doubtful.outcome, Outcome::inconclusive) << "or not";
    EXPECT_THAT(doubtful.detail, HasSubstr("the mean of the margins moved by 7.1e-05"));
}

TEST(Judge, ComparesLabelsWithTheirClass) {
    const auto print = two_classes(Access::label);
    auto answers = honest(print);
    answers.values.clear();
    for (std::size_t row = 0; row < answers.count; ++row) {
        answers.labels.push_back(row / kPairs % 2 == 0 ? 0 : 1);
    }
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::intact);
    answers.labels[3] = 1;
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::tampered);
}

struct Spoiled {
    const char* name;
    void (*spoil)(oracle::Answers&);
    const char* message;
};

class SpoiledAnswers : public ::testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledAnswers, AreRefused) {
    const auto print = two_classes();
    auto answers = honest(print);
    GetParam().spoil(answers);
    const auto finding = judge_pairs(print, {.answers = answers}, {}, "who");
    ASSERT_FALSE(finding.ok());
    EXPECT_THAT(finding.error().message, HasSubstr(GetParam().message));
    EXPECT_THAT(finding.error().message, HasSubstr("who"));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, SpoiledAnswers,
    ::testing::Values(Spoiled{"Nan", [](auto& a) { a.values[5] = std::numeric_limits<float>::quiet_NaN(); },
                              "output 1 of answer 2 is nan"},
                      Spoiled{"Infinite", [](auto& a) { a.values[0] = std::numeric_limits<float>::infinity(); },
                              "output 0 of answer 0 is inf"},
                      Spoiled{"TooFew", [](auto& a) { --a.count; }, "39 answers to 40 inputs"},
                      Spoiled{"OtherClasses",
                              [](auto& a) {
                                  a.classes = 4;
                                  a.values.resize(a.count * 4);
                              },
                              "4 outputs per input, 2"},
                      Spoiled{"LabelsForValues",
                              [](auto& a) {
                                  a.values.clear();
                                  a.classes = 0;
                                  a.labels.resize(a.count);
                              },
                              "answers are labels"}),
    [](const auto& one) { return one.param.name; });

TEST(Judge, ReportsAMissingRung) {
    const auto print = two_classes();
    const auto finding = judge_pairs(print, {.answers = honest(print)}, Rung::exact, "who");
    ASSERT_FALSE(finding.ok());
    EXPECT_EQ(finding.error().kind, ErrorKind::usage);
}

TEST(Threshold, BoundsTheChanceOfSoManyFlips) {
    const std::vector<double> none(150, 0.0), rare(150, 1e-10), often(150, 1e-3), always(150, 1.0);
    EXPECT_EQ(threshold_of(none).mismatches, 1u);
    EXPECT_EQ(threshold_of(rare).mismatches, 1u);
    EXPECT_NEAR(threshold_of(rare).bound, 1.5e-8, 1e-12);
    EXPECT_GT(threshold_of(often).mismatches, 3u);
    EXPECT_LE(threshold_of(often).bound, kFalseAlarms);
    EXPECT_GT(threshold_of(always).mismatches, 150u) << "no number of mismatches is proof";
}

}  // namespace
}  // namespace modelseal::blackbox
