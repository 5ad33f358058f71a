#include "oracle/deadline.h"

#include <gtest/gtest.h>

namespace modelseal::oracle {
namespace {

using std::chrono::milliseconds;

TEST(Deadline, IsOverWhenAWaitForAllThatIsLeftEnds) {
    for (int i = 0; i < 1000; ++i) {
        const Deadline deadline(milliseconds(50));
        const auto wait = deadline.at_most(milliseconds(60'000));
        EXPECT_GE(Deadline::Clock::now() + wait, *deadline.end());
        EXPECT_LE(wait, milliseconds(50));
    }
}

TEST(Deadline, CutsOnlyWhatIsLonger) {
    EXPECT_EQ(Deadline(milliseconds(60'000)).at_most(milliseconds(7)), milliseconds(7));
    EXPECT_EQ(Deadline().at_most(milliseconds(60'000)), milliseconds(60'000));
    const Deadline over(milliseconds(0));
    EXPECT_EQ(over.at_most(milliseconds(7)), milliseconds(0));
    EXPECT_TRUE(over.over());
    EXPECT_FALSE(Deadline().over());
}

}  // namespace
}  // namespace modelseal::oracle
