// Fingerprints of a network that is known whole: where the pairs lie, and what changes of weights and runtime
// do to them.
#include "blackbox/pairs/make.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>

#include "blackbox/challenge.h"
#include "blackbox/container/payload.h"
#include "blackbox/pairs/inputs.h"
#include "blackbox/pairs/judge.h"
#include "blackbox/pairs/keyed.h"
#include "blackbox/verdict.h"
#include "tests/support/models/toy_network.h"

namespace modelseal::blackbox {
namespace {

using test::ToyNetwork;
using Outcome = FingerprintFinding::Outcome;

constexpr std::array<std::byte, 32> kSalt{std::byte{7}};

Secret32 secret(unsigned char first) {
    std::array<std::byte, 32> bytes{};
    bytes[0] = std::byte{first};
    return Secret32(bytes);
}

Plan plan_for(const ToyNetwork& network, Access access = Access::logits, Grid grid = Grid::none) {
    return {.count = 20, .access = access, .grid = grid, .input = {.shape = network.input()}, .threads = 2};
}

Made make_or_die(oracle::Network& network, const Plan& plan, unsigned char key = 1,
                 std::span<const std::byte, 32> salt = kSalt) {
    auto made = make_pairs(network, plan, secret(key), salt, no_progress());
    if (!made) {
        ADD_FAILURE() << made.error().message;
        return {};
    }
    made->fingerprint.root = std::string(64, '0');
    return std::move(*made);
}

// The finding of a check of `network`, evaluated like a file.
FingerprintFinding check(ToyNetwork& network, const Fingerprint& print, const oracle::Runtime& runtime,
                         bool same_runtime) {
    std::vector<float> inputs;
    for (const auto& rung : print.pairs().rungs) {
        const auto more = inputs_of(print, rung.pairs);
        inputs.insert(inputs.end(), more.begin(), more.end());
    }
    auto answers = network.ask_as(inputs, count_inputs(print), runtime);
    auto finding = judge_pairs(
        print, {.answers = std::move(*answers), .local = true, .same_runtime = same_runtime}, {}, "toy");
    if (!finding) {
        ADD_FAILURE() << finding.error().message;
        return {};
    }
    return *finding;
}

TEST(MakeFingerprint, IsValidAsAFile) {
    for (const auto access : {Access::logits, Access::probabilities, Access::label}) {
        for (const auto grid : {Grid::none, Grid::u8}) {
            ToyNetwork network(1);
            auto plan = plan_for(network, access, grid);
            if (grid == Grid::u8) plan.input.shape = ToyNetwork(1, 5, {1, 24, 24}).input();
            ToyNetwork wide(1, 5, plan.input.shape.shape);
            EXPECT_EQ(complaint(make_or_die(wide, plan).fingerprint), "");
        }
    }
}

TEST(MakeFingerprint, MembersLieOnBothSidesInTheBandOfTheirRung) {
    ToyNetwork network(1);
    const auto print = make_or_die(network, plan_for(network)).fingerprint;
    ASSERT_EQ(print.pairs().rungs.size(), 3u);
    for (const auto& rung : print.pairs().rungs) {
        EXPECT_EQ(rung.pairs.size(), 20u);
        for (const auto& pair : rung.pairs) {
            EXPECT_LT(pair.member[0].margin, 0);
            EXPECT_GT(pair.member[1].margin, 0);
            if (rung.rung == Rung::exact) continue;
            const double floor = rung.floor * pair.unit;
            EXPECT_LE(pair.member[0].margin, -floor);
            EXPECT_GE(pair.member[1].margin, floor);
            EXPECT_LT(pair.member[1].margin, 2.5 * floor);
        }
    }
    EXPECT_GE(print.pairs().rungs[1].floor, 8 * print.pairs().rungs[1].noise);
    EXPECT_GT(print.pairs().rungs[1].noise, 0) << "the toy sums in another order, which rounds otherwise";
    EXPECT_GT(print.pairs().rungs[2].floor, print.pairs().rungs[1].floor);
}

TEST(MakeFingerprint, WeightsOfOutputsHaveZeroSumAndUnitNormAndDifferBetweenPaths) {
    ToyNetwork network(1);
    const auto print = make_or_die(network, plan_for(network)).fingerprint;
    std::set<std::vector<double>> seen;
    for (const auto& path : print.pairs().paths) {
        double sum = 0, square = 0;
        for (const double weight : path.weights) {
            sum += weight;
            square += weight * weight;
        }
        EXPECT_NEAR(sum, 0, 1e-12);
        EXPECT_NEAR(square, 1, 1e-12);
        seen.insert(path.weights);
    }
    EXPECT_EQ(seen.size(), print.pairs().paths.size());
}

TEST(MakeFingerprint, OfManyOutputsAKeyedChoiceCounts) {
    ToyNetwork network(1, 3000);
    const auto print = make_or_die(network, plan_for(network)).fingerprint;
    const auto& paths = print.pairs().paths;
    for (const auto& path : paths) {
        EXPECT_EQ(path.outputs.size(), kMostWeights);
        EXPECT_EQ(path.weights.size(), kMostWeights);
        EXPECT_LT(path.outputs.back(), 3000u);
    }
    EXPECT_NE(paths[0].outputs, paths[1].outputs);
    EXPECT_EQ(complaint(print), "");
    network.first[5] *= 1.05f;
    EXPECT_EQ(check(network, print, {.batch = 1}, false).outcome, Outcome::tampered);
}

// A network that has none answers through neighbors of its inputs alone.
TEST(MakeFingerprint, NeedsNoGradient) {
    for (const auto access : {Access::logits, Access::probabilities, Access::label}) {
        ToyNetwork network(1);
        network.no_gradient = true;
        network.softmax = access == Access::probabilities;
        const auto print = make_or_die(network, plan_for(network, access)).fingerprint;
        ASSERT_EQ(print.pairs().rungs.size(), 3u);
        for (const auto& rung : print.pairs().rungs) EXPECT_EQ(rung.pairs.size(), 20u);
        EXPECT_EQ(check(network, print, {.batch = 1}, false).mismatched, 0u);
        network.first[5] *= 1.02f;
        EXPECT_EQ(check(network, print, {.batch = 1}, false).outcome, Outcome::tampered);
    }
}

// Every path has the noise of the noisiest runtime; what was counted is a part of what was tried.
TEST(MakeFingerprint, RecordsHowFarHonestRuntimesMoveThePaths) {
    ToyNetwork network(1);
    const auto print = make_or_die(network, plan_for(network)).fingerprint;
    const auto& shifts = print.pairs().shifts;
    EXPECT_GT(shifts.counted, 100u);
    ASSERT_EQ(shifts.beyond.size(), 5u);
    EXPECT_LT(shifts.beyond[0], shifts.counted / 2) << "beyond one standard deviation";
    EXPECT_GT(shifts.beyond[0], shifts.counted / 20);
    EXPECT_LT(shifts.beyond[4], shifts.counted / 50) << "beyond four";
    for (const auto& path : print.pairs().paths) EXPECT_GT(path.noise, 0);
    const auto labels = make_or_die(network, plan_for(network, Access::label)).fingerprint;
    EXPECT_EQ(labels.pairs().shifts.counted, 0u) << "labels show no margins";
}

TEST(MakeFingerprint, RecordsHowMuchWasTried) {
    ToyNetwork network(1);
    const auto print = make_or_die(network, plan_for(network)).fingerprint;
    ASSERT_EQ(print.pairs().rungs.size(), 3u);
    EXPECT_EQ(print.pairs().rungs[0].tried.runtimes, 0u) << "the runtime of the fingerprint itself";
    const auto& fp32 = print.pairs().rungs[1].tried;
    EXPECT_GE(fp32.runtimes, 10u);
    EXPECT_GE(fp32.evaluations, 20 * fp32.runtimes) << "each evaluates all pairs";
    EXPECT_GE(print.pairs().rungs[2].tried.runtimes, 4u);
    const auto finding = check(network, print, {.batch = 1}, false);
    EXPECT_EQ(finding.runtimes_tried, fp32.runtimes);
    EXPECT_EQ(finding.evaluations_tried, fp32.evaluations);
}

// Every other path leads from one of them towards another.
TEST(MakeFingerprint, SearchesFromPicturesOfTheVendor) {
    ToyNetwork network(1);
    auto plan = plan_for(network, Access::logits, Grid::none);
    for (unsigned picture = 0; picture < 3; ++picture) {
        for (unsigned i = 0; i < 36; ++i) plan.seeds.push_back(static_cast<std::uint8_t>(picture * 90 + 2 * i));
    }
    const auto print = make_or_die(network, plan).fingerprint;
    EXPECT_EQ(complaint(print), "");
    // Of these alone neighbors differ by the same, at either end of the path.
    const auto is_even = [](const std::vector<float>& picture) {
        for (std::size_t i = 2; i < picture.size(); ++i) {
            if (std::abs(picture[i] - 2 * picture[i - 1] + picture[i - 2]) > 2) return false;
        }
        return true;
    };
    std::size_t from_seeds = 0;
    for (const auto& path : print.pairs().paths) {
        auto end = path.base;
        for (std::size_t i = 0; i < end.size(); ++i) end[i] += path.direction[i];
        from_seeds += is_even(path.base) || is_even(end) ? 1 : 0;
    }
    EXPECT_GE(from_seeds, print.pairs().paths.size() / 3);
    EXPECT_LE(from_seeds, print.pairs().paths.size() * 2 / 3);
}

TEST(MakeFingerprint, OtherKeysAndOtherSaltsShareNoInput) {
    ToyNetwork network(1);
    constexpr std::array<std::byte, 32> other_salt{std::byte{8}};
    std::set<std::vector<float>> seen;
    std::size_t inputs = 0;
    for (const auto& print : {make_or_die(network, plan_for(network), 1).fingerprint,
                              make_or_die(network, plan_for(network), 2).fingerprint,
                              make_or_die(network, plan_for(network), 1, other_salt).fingerprint}) {
        for (const auto& rung : print.pairs().rungs) {
            for (const auto& pair : rung.pairs) {
                for (const int member : {0, 1}) {
                    std::vector<float> input;
                    append_input(print, pair, member, input);
                    seen.insert(std::move(input));
                    ++inputs;
                }
            }
        }
    }
    EXPECT_EQ(seen.size(), inputs);
}

TEST(MakeFingerprint, FollowsFromKeyAndSalt) {
    ToyNetwork network(1);
    const auto once = make_or_die(network, plan_for(network)).fingerprint;
    const auto again = make_or_die(network, plan_for(network)).fingerprint;
    EXPECT_EQ(inputs_of(once, once.pairs().rungs[1].pairs), inputs_of(again, again.pairs().rungs[1].pairs));
}

TEST(MakeFingerprint, GridMembersAreOnGrayLevelsAFewPixelsApart) {
    ToyNetwork network(1, 5, {1, 24, 24});
    const auto print = make_or_die(network, plan_for(network, Access::logits, Grid::u8)).fingerprint;
    ASSERT_FALSE(print.pairs().rungs.empty());
    for (const auto& rung : print.pairs().rungs) {
        EXPECT_NE(rung.rung, Rung::exact);
        const auto inputs = inputs_of(print, rung.pairs);
        for (const float input : inputs) {
            const double level = static_cast<double>(input) * 255;
            EXPECT_NEAR(level, std::nearbyint(level), 1e-4);
        }
    }
}

TEST(MakeFingerprint, RefusesAModelWithOneClassEverywhere) {
    ToyNetwork network(1);
    network.answer_for_all = 3;
    const auto made = make_pairs(network, plan_for(network), secret(1), kSalt, no_progress());
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(made.error().message, ::testing::HasSubstr("the outputs differ between 0 of 138 inputs"));
}

TEST(MakeFingerprint, RefusesOutputsThatAreNotNumbers) {
    ToyNetwork network(1);
    network.answer_for_all = std::numeric_limits<float>::quiet_NaN();
    const auto made = make_pairs(network, plan_for(network), secret(1), kSalt, no_progress());
    ASSERT_FALSE(made.ok());
    EXPECT_THAT(made.error().message, ::testing::HasSubstr("output 0 of answer 0 is nan"));
}

TEST(CheckFingerprint, TheSameNetworkIsIntactOnEveryHonestRuntime) {
    for (const auto access : {Access::logits, Access::probabilities, Access::label}) {
        ToyNetwork network(1);
        const auto print = make_or_die(network, plan_for(network, access)).fingerprint;
        for (const oracle::Runtime& runtime :
             {oracle::Runtime{.batch = print.batch}, oracle::Runtime{.batch = 1},
              oracle::Runtime{.plain_kernels = true}}) {
            const auto finding = check(network, print, runtime, false);
            EXPECT_THAT(finding.outcome, ::testing::AnyOf(Outcome::intact, Outcome::other_runtime));
            EXPECT_EQ(finding.mismatched, 0u);
            EXPECT_EQ(finding.rung, "fp32");
            EXPECT_EQ(finding.false_alarm_bound, kFalseAlarms);
        }
    }
}

TEST(CheckFingerprint, TheSameRuntimeGivesTheSameAnswers) {
    ToyNetwork network(1);
    const auto print = make_or_die(network, plan_for(network)).fingerprint;
    const auto finding = check(network, print, {.batch = print.batch}, true);
    EXPECT_EQ(finding.outcome, Outcome::intact);
    EXPECT_EQ(finding.shift, 0.0);
}

TEST(CheckFingerprint, AnotherRuntimeIsDistinguishedFromAnotherModel) {
    ToyNetwork network(1);
    const auto print = make_or_die(network, plan_for(network)).fingerprint;
    EXPECT_EQ(check(network, print, {.batch = 1}, false).outcome, Outcome::other_runtime);
    network.second[3] *= 1.01f;
    EXPECT_EQ(check(network, print, {.batch = 1}, false).outcome, Outcome::tampered);
}

// A change that looks like rounding on any other runtime is noticed on the same one.
TEST(CheckFingerprint, OneUnitInTheLastPlaceIsNoticedOnTheSameRuntime) {
    ToyNetwork network(1);
    const auto print = make_or_die(network, plan_for(network)).fingerprint;
    network.second[3] = std::nextafter(network.second[3], 10.0f);
    EXPECT_EQ(check(network, print, {.batch = print.batch}, false).outcome, Outcome::other_runtime);
    const auto finding = check(network, print, {.batch = print.batch}, true);
    EXPECT_EQ(finding.outcome, Outcome::tampered);
    EXPECT_EQ(finding.rung, "exact");
}

TEST(CheckFingerprint, ARuntimeThatDoesNotRepeatItselfIsNotComparedBitByBit) {
    ToyNetwork network(1);
    network.unsteady = true;
    const auto made = make_pairs(network, plan_for(network), secret(1), kSalt, no_progress());
    ASSERT_TRUE(made.ok()) << made.error().message;
    for (const auto& rung : made->fingerprint.pairs().rungs) {
        if (rung.rung == Rung::exact) {
            EXPECT_GT(rung.noise, 0);
        }
    }
}

TEST(CheckFingerprint, NoticesSmallChangesOfAnyKind) {
    using Change = void (*)(ToyNetwork&);
    const Change changes[] = {
        [](ToyNetwork& n) { n.first[5] *= 1.01f; },
        [](ToyNetwork& n) { n.second[0] = -n.second[0]; },
        [](ToyNetwork& n) { std::swap_ranges(n.second.begin(), n.second.begin() + 16, n.second.begin() + 16); },
        [](ToyNetwork& n) {
            for (auto& weight : n.first) weight = std::nearbyint(weight * 32) / 32;
        },
    };
    for (const auto access : {Access::logits, Access::probabilities, Access::label}) {
        for (std::size_t i = 0; i < std::size(changes); ++i) {
            ToyNetwork network(1);
            const auto print = make_or_die(network, plan_for(network, access)).fingerprint;
            changes[i](network);
            EXPECT_EQ(check(network, print, {.batch = 1}, false).outcome, Outcome::tampered) << i;
        }
    }
}

// Where a probability comes out as 0, as those of unlikely classes do in float32, there is no margin to record.
TEST(CheckFingerprint, PairsLieWhereEveryProbabilityIsAboveZero) {
    ToyNetwork network(1);
    for (auto& weight : network.second) weight *= 12;
    network.softmax = true;
    const auto print = make_or_die(network, plan_for(network, Access::probabilities)).fingerprint;
    std::size_t zeros = 0;
    for (const auto& rung : print.pairs().rungs) {
        const auto inputs = inputs_of(print, rung.pairs);
        const auto answers = network.ask(inputs, 2 * rung.pairs.size());
        zeros += static_cast<std::size_t>(std::ranges::count(answers->values, 0.0f));
    }
    EXPECT_EQ(zeros, 0u);
    EXPECT_EQ(check(network, print, {.batch = print.batch}, true).outcome, Outcome::intact);
}

TEST(CheckFingerprint, ProbabilitiesShowAsMuchAsLogits) {
    ToyNetwork network(1);
    const auto print = make_or_die(network, plan_for(network)).fingerprint;
    network.softmax = true;  // a service that puts a softmax behind the model
    EXPECT_EQ(check(network, print, {}, false).mismatched, 0u);
}

}  // namespace
}  // namespace modelseal::blackbox
