// How far the margins of paths may move: what accuses, what clears, and what coarseness changes about either.
#include "blackbox/pairs/shifts.h"

#include <cmath>

#include <gmock/gmock.h>

#include "tests/support/models/two_classes.h"

namespace modelseal::blackbox {
namespace {

using Outcome = FingerprintFinding::Outcome;
using Decision = FingerprintFinding::Decision;
using test::honest;
using test::judged;
using test::kPairs;
using ::testing::HasSubstr;

constexpr double kNoise = 1e-5;

// A path for each pair, which has the members of both rungs; the counts are those of a normal distribution.
Fingerprint with_noise() {
    auto print = test::two_classes();
    auto& pairs = print.pairs();
    pairs.paths.assign(kPairs, {.base = {0}, .direction = {1}, .weights = pairs.direction, .noise = kNoise});
    pairs.direction.clear();
    for (auto& rung : pairs.rungs) {
        for (std::uint32_t i = 0; i < kPairs; ++i) rung.pairs[i].path = i;
    }
    pairs.shifts = {.beyond = {317, 134, 46, 3, 0}, .counted = 1000};
    return print;
}

// Every margin of the first `paths` paths is moved by `shift`.
oracle::Answers moved(const Fingerprint& print, std::size_t paths, double shift) {
    auto answers = honest(print);
    for (std::size_t row = 0; row < answers.count; ++row) {
        if (row % kPairs >= paths) continue;
        const auto half = static_cast<float>(shift * std::sqrt(0.5));
        answers.values[2 * row] -= half;
        answers.values[2 * row + 1] += half;
    }
    return answers;
}

TEST(Shifts, SmallOnesOfManyPathsAreTamperingThoughNoPairDiffers) {
    const auto print = with_noise();
    const auto finding = judged(print, {.answers = moved(print, kPairs, 9 * kNoise)});
    EXPECT_EQ(finding.outcome, Outcome::tampered);
    EXPECT_EQ(finding.decided_by, Decision::shifts);
    EXPECT_EQ(finding.mismatched, 0u);
    ASSERT_TRUE(finding.shifts);
    EXPECT_EQ(finding.shifts->compared, kPairs);
    EXPECT_EQ(finding.shifts->moved, kPairs);
    EXPECT_LE(finding.shifts->threshold, kPairs);
    EXPECT_EQ(finding.false_alarm_bound, kFalseAlarms);
    EXPECT_THAT(finding.detail, HasSubstr("the margins of 10 of 10 pairs moved by more than"));
}

TEST(Shifts, OfARuntimeTwiceAsNoisyAsTheNoisiestAreNone) {
    const auto print = with_noise();
    for (const double factor : {0.5, 1.0, 1.9}) {
        const auto finding = judged(print, {.answers = moved(print, kPairs, factor * kNoise)});
        EXPECT_EQ(finding.outcome, Outcome::intact) << factor;
        EXPECT_EQ(finding.false_alarm_bound, kFalseAlarms);
    }
}

// One path says little: the noise of a single one may be anything.
TEST(Shifts, OfOnePathAreLeftToItsPair) {
    const auto print = with_noise();
    EXPECT_EQ(judged(print, {.answers = moved(print, 1, 20 * kNoise)}).outcome, Outcome::intact);
    EXPECT_EQ(judged(print, {.answers = moved(print, 1, 200 * kNoise)}).decided_by, Decision::flips);
}

TEST(Shifts, ThatCoarseAnswersExplainNeitherAccuseNorClear) {
    const auto print = with_noise();
    auto answers = moved(print, kPairs, 9 * kNoise);
    answers.rounding = 1e-4;
    const auto finding = judged(print, {.answers = answers});
    EXPECT_EQ(finding.outcome, Outcome::inconclusive);
    EXPECT_THAT(finding.detail, HasSubstr("the answers are rounded"));
    auto fine = moved(print, kPairs, kNoise);
    fine.rounding = 1e-4;
    EXPECT_EQ(judged(print, {.answers = fine}).outcome, Outcome::intact)
        << "what is rounded so is where it was";
}

TEST(Shifts, SupposeFloat32AndAreNotAskedOnTheRungMixed) {
    const auto print = with_noise();
    const auto finding = judged(print, {.answers = moved(print, kPairs, 9 * kNoise)}, Rung::mixed);
    EXPECT_EQ(finding.outcome, Outcome::intact);
    EXPECT_FALSE(finding.shifts);
    EXPECT_TRUE(judged(print, {.answers = moved(print, kPairs, 9 * kNoise)}).reduced_precision_possible);
}

TEST(Shifts, AreNotHeldAgainstFingerprintsThatDoNotRecordThem) {
    auto print = with_noise();
    print.pairs().shifts = {};
    const auto finding = judged(print, {.answers = moved(print, kPairs, 9 * kNoise)});
    EXPECT_EQ(finding.outcome, Outcome::intact);
    EXPECT_FALSE(finding.shifts);
}

// Fewer counts say less, so that more paths are needed.
TEST(Shifts, ThresholdsFollowFromWhatWasCounted) {
    auto print = with_noise();
    const auto many = judged(print, {.answers = moved(print, kPairs, 9 * kNoise)}).shifts;
    print.pairs().shifts = {.beyond = {32, 14, 5, 1, 0}, .counted = 100};
    const auto few = judged(print, {.answers = moved(print, kPairs, 9 * kNoise)}).shifts;
    ASSERT_TRUE(many && few);
    EXPECT_LT(many->threshold, few->threshold);
}

}  // namespace
}  // namespace modelseal::blackbox
