// Verdicts on answers that are coarse, noisy, too few or of another kind.
#include "fingerprint/judge.h"

#include <cmath>

#include <gmock/gmock.h>

namespace modelseal::fingerprint {
namespace {

using Outcome = FingerprintFinding::Outcome;
using ::testing::HasSubstr;

constexpr std::size_t kPairs = 10;

// Two classes; every member of the rung has the margin -+ `margin` of (second output less first) / sqrt(2).
RungOfPairs rung_of(Rung rung, double margin, double scale) {
    RungOfPairs made{.rung = rung, .noise = scale, .scale = scale, .floor = margin, .pairs = {}};
    for (std::size_t i = 0; i < kPairs; ++i) {
        Pair pair;
        pair.target = 1;
        pair.member[0] = {0, -margin, 0};
        pair.member[1] = {1, margin, 1};
        made.pairs.push_back(pair);
    }
    return made;
}

Fingerprint sample(Access access = Access::logits) {
    Fingerprint print;
    print.access = access;
    print.input.shape = {"x", {1}, {}};
    print.classes = 2;
    print.batch = 1;
    if (access != Access::label) print.direction = {-std::sqrt(0.5), std::sqrt(0.5)};
    print.paths = {{{0}, {1}}};
    print.rungs = {rung_of(Rung::fp32, 1e-3, 1e-5), rung_of(Rung::mixed, 0.1, 1e-3)};
    return print;
}

// As the sealed model answers.
oracle::Answers honest(const Fingerprint& print) {
    oracle::Answers answers;
    for (const auto& rung : print.rungs) {
        for (const int member : {0, 1}) {
            for (const auto& pair : rung.pairs) {
                const auto half = static_cast<float>(pair.member[member].margin * std::sqrt(0.5));
                answers.values.insert(answers.values.end(), {-half, half});
                ++answers.count;
            }
        }
    }
    answers.classes = 2;
    return answers;
}

FingerprintFinding judged(const Fingerprint& print, Replies replies, std::optional<Rung> rung = {}) {
    auto finding = judge(print, std::move(replies), rung, "who");
    EXPECT_TRUE(finding.ok()) << (finding.ok() ? "" : finding.error().message);
    return finding.ok() ? *finding : FingerprintFinding{};
}

TEST(Judge, HonestAnswersAreIntactWithABoundOnFalseAlarms) {
    const auto print = sample();
    const auto finding = judged(print, {.answers = honest(print)});
    EXPECT_EQ(finding.outcome, Outcome::intact);
    EXPECT_EQ(finding.pairs, kPairs);
    EXPECT_EQ(finding.threshold, 1u);
    EXPECT_GT(finding.false_alarm_bound, 0);
    EXPECT_LE(finding.false_alarm_bound, kFalseAlarms);
}

TEST(Judge, OneMemberOnTheOtherSideIsTampering) {
    const auto print = sample();
    auto answers = honest(print);
    std::swap(answers.values[0], answers.values[1]);
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.outcome, Outcome::tampered);
    EXPECT_EQ(finding.mismatched, 1u);
}

// Noise of the size of the margins takes more than one mismatch.
TEST(Judge, NoisierRungsTakeMoreMismatches) {
    auto print = sample();
    print.rungs[0].scale = 1e-4;
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

TEST(Judge, AnswersWithFewDecimalsFallBackOnAWiderRung) {
    const auto print = sample();
    auto answers = honest(print);
    answers.rounding = 5e-3;
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.outcome, Outcome::intact);
    EXPECT_EQ(finding.rung, "mixed");
    EXPECT_THAT(finding.detail, HasSubstr("only larger changes"));
}

TEST(Judge, AnswersTooCoarseForAnyRungAreNeverIntact) {
    const auto print = sample();
    auto answers = honest(print);
    answers.rounding = 0.5;
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::error);
}

TEST(Judge, AnswersThatVaryAreNeverIntactWithinTheirVariation) {
    const auto print = sample();
    EXPECT_EQ(judged(print, {.answers = honest(print), .jitter = 1e-3}).rung, "mixed");
    EXPECT_EQ(judged(print, {.answers = honest(print), .jitter = 1}).outcome, Outcome::error);
}

// Training moves all margins alike; rounding moves each its own way.
TEST(Judge, MarginsThatMoveTogetherAreTampering) {
    auto print = sample();
    print.rungs[0].drift = 1e-5;
    auto together = honest(print), apart = honest(print);
    for (std::size_t row = 0; row < together.count; ++row) {
        together.values[2 * row + 1] += 1e-4f;
        apart.values[2 * row + 1] += row % 2 == 0 ? 1e-4f : -1e-4f;
    }
    const auto finding = judged(print, {.answers = together});
    EXPECT_EQ(finding.outcome, Outcome::tampered);
    EXPECT_EQ(finding.mismatched, 0u);
    EXPECT_THAT(finding.detail, HasSubstr("moved together"));
    EXPECT_EQ(judged(print, {.answers = apart}).outcome, Outcome::intact);
    together.rounding = 1e-3;
    EXPECT_NE(judged(print, {.answers = together}).outcome, Outcome::tampered) << "that may be the rounding";
}

// An answer far on the other side is a mismatch however coarse the answers are.
TEST(Judge, CoarseAnswersStillShowLargeChanges) {
    const auto print = sample();
    auto answers = honest(print);
    answers.rounding = 0.5;
    for (std::size_t row = 0; row < kPairs; ++row) {
        answers.values[2 * row] = -50;
        answers.values[2 * row + 1] = 50;
    }
    EXPECT_EQ(judged(print, {.answers = answers}).outcome, Outcome::tampered);
}

TEST(Judge, RoundedProbabilitiesOfZeroTellNothing) {
    const auto print = sample(Access::probabilities);
    auto answers = honest(print);
    for (std::size_t at = 0; at < answers.values.size(); at += 2) {
        answers.values[at] = 0;
        answers.values[at + 1] = 1;
    }
    answers.rounding = 5e-4;
    const auto finding = judged(print, {.answers = answers});
    EXPECT_NE(finding.outcome, Outcome::intact);
}

TEST(Judge, LabelsAreHeldAgainstTheirClass) {
    const auto print = sample(Access::label);
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
    const auto print = sample();
    auto answers = honest(print);
    GetParam().spoil(answers);
    const auto finding = judge(print, {.answers = answers}, {}, "who");
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
                              "4 outputs for an input, expected 2"},
                      Spoiled{"LabelsForValues",
                              [](auto& a) {
                                  a.values.clear();
                                  a.classes = 0;
                                  a.labels.resize(a.count);
                              },
                              "answers are labels"}),
    [](const auto& one) { return one.param.name; });

TEST(Judge, ARungThatIsNotThereIsSaid) {
    const auto print = sample();
    const auto finding = judge(print, {.answers = honest(print)}, Rung::exact, "who");
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
}  // namespace modelseal::fingerprint
