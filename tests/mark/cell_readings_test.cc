#include "mark/cell_readings.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mark/checking/recovered_checks.h"

namespace modelseal::mark {
namespace {

using testing::ElementsAre;

constexpr std::byte kA{1}, kB{2}, kC{3};

TEST(CellReadings, HoldWhatWasSetAndNothingBefore) {
    CellReadings readings(std::array<std::uint32_t, 4>{2, 0, 3, 1});
    ASSERT_EQ(readings.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(readings[i].capacity, 0u);
        EXPECT_FALSE(readings[i].valid);
        EXPECT_TRUE(readings[i].bytes.empty());
    }
    readings.set(2, {.capacity = 11, .valid = true, .attempt = 5, .bytes = std::array{kA, kB, kC}});
    readings.set(0, {.capacity = 9, .bytes = std::array{kB, kA}});
    readings.set(3, {.capacity = 8, .bytes = std::array{kC}});
    EXPECT_EQ(readings[2].capacity, 11u);
    EXPECT_TRUE(readings[2].valid);
    EXPECT_EQ(readings[2].attempt, 5);
    EXPECT_THAT(readings[2].bytes, ElementsAre(kA, kB, kC));
    EXPECT_THAT(readings[0].bytes, ElementsAre(kB, kA));
    EXPECT_FALSE(readings[0].valid);
    EXPECT_THAT(readings[3].bytes, ElementsAre(kC));
    readings.set(2, {.capacity = 11, .bytes = std::array{kC}});
    EXPECT_THAT(readings[2].bytes, ElementsAre(kC));
    readings.set_attempt(2, 7);
    EXPECT_EQ(readings[2].attempt, 7);
    EXPECT_EQ(readings[2].capacity, 11u);
}

TEST(SealedChecks, StandsForTheBlocksAsTheyAreUntilOneWasAnother) {
    const std::vector<CheckValue> now{10, 20, 30};
    SealedChecks checks(now);
    checks.set(1, 20);
    EXPECT_TRUE(checks.known(1));
    EXPECT_FALSE(checks.known(0));
    EXPECT_EQ(checks.values().data(), now.data()) << "no copy";
    checks.set(2, 31);
    const SealedChecks moved(std::move(checks));
    EXPECT_THAT(moved.values(), ElementsAre(10, 20, 31));
    EXPECT_TRUE(moved.known(2));
    EXPECT_THAT(now, ElementsAre(10, 20, 30));
}

TEST(SealedChecks, WithoutBlocksAtHandKnowsWhatWasSet) {
    SealedChecks checks(2);
    checks.set(1, 7);
    checks.set(0, 0);
    EXPECT_THAT(checks.values(), ElementsAre(0, 7));
    EXPECT_TRUE(checks.known(0) && checks.known(1));
}

}  // namespace
}  // namespace modelseal::mark
