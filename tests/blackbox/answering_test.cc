// Networks that keep a state, and whose answers follow from the batch.
#include "blackbox/answering.h"

#include <array>

#include <gtest/gtest.h>

#include "blackbox/interview.h"
#include "blackbox/method.h"
#include "blackbox/pairs/make.h"
#include "tests/support/models/toy_network.h"
#include <modelseal/progress.h>

namespace modelseal::blackbox {
namespace {

using test::ToyNetwork;

TEST(Repeating, IsRefusedToWhatAnswersOtherwiseEachTime) {
    ToyNetwork network(1);
    const Input input{.shape = network.input()};
    EXPECT_TRUE(must_repeat_itself(network, input).ok());
    network.unsteady = true;
    const auto refused = must_repeat_itself(network, input);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_NE(refused.error().message.find("when asked again"), std::string::npos);
}

TEST(AskedAlone, IsWhatScalesByItsBatch) {
    ToyNetwork network(1);
    const Input input{.shape = network.input()};
    EXPECT_FALSE(must_be_asked_alone(network, input).value());
    network.by_range = true;
    EXPECT_TRUE(must_be_asked_alone(network, input).value());
}

// Batches of one and of many sum in another order here, which is not meant.
TEST(AskedAlone, IsNotWhatRoundsOtherwise) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        ToyNetwork network(seed, 2, {3, 20, 20});
        EXPECT_FALSE(must_be_asked_alone(network, {.shape = network.input()}).value()) << seed;
    }
}

TEST(AskedAlone, HasPairsThatHoldWhereInputsComeByThemselves) {
    ToyNetwork network(1);
    network.by_range = true;
    const Plan plan{.count = 20, .input = {.shape = network.input()}, .threads = 2, .alone = true};
    constexpr std::array<std::byte, 32> kZeros{};
    const auto made = make_pairs(network, plan, Secret32(kZeros), kZeros, no_progress()).value();
    const auto& print = made.fingerprint;
    EXPECT_TRUE(print.alone);
    EXPECT_EQ(print.batch, 1u);
    ASSERT_EQ(print.pairs().rungs.size(), 3u);
    for (const auto& rung : print.pairs().rungs) EXPECT_EQ(rung.pairs.size(), 20u);
    auto replies = ask_file(network, print, print.batch, no_progress()).value();
    EXPECT_EQ(method_of(print).judge(print, std::move(replies), {}, "toy").value().outcome,
              FingerprintFinding::Outcome::intact);
}

}  // namespace
}  // namespace modelseal::blackbox
