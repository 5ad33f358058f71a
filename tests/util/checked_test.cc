#include "util/checked.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace modelseal::util {
namespace {

TEST(ElementCount, OverflowIsReportedUnlessAnExtentIsZero) {
    std::uint64_t count = 0;
    EXPECT_FALSE(element_count(std::vector<std::uint64_t>{1ull << 40, 1ull << 40}, count));
    EXPECT_TRUE(element_count(std::vector<std::uint64_t>{1ull << 40, 1ull << 40, 0}, count));
    EXPECT_EQ(count, 0u);
}

TEST(ToFloat, IsInfiniteBeyondTheRangeOfFloat) {
    const double most = static_cast<double>(std::numeric_limits<float>::max());
    EXPECT_EQ(to_float(0.1), 0.1f);
    EXPECT_EQ(to_float(most), std::numeric_limits<float>::max());
    EXPECT_EQ(to_float(2 * most), std::numeric_limits<float>::infinity());
    EXPECT_EQ(to_float(-1e300), -std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(to_float(std::nan(""))));
}

}  // namespace
}  // namespace modelseal::util
