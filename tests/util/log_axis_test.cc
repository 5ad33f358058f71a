#include "util/log_axis.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace modelseal::util {
namespace {

TEST(LogAxis, KeepsOrderAndSign) {
    const std::vector<double> values = {-1, -1e-3, -2e-5, 3e-5, 1e-4, 0.5};
    const LogAxis axis(values);
    EXPECT_EQ(axis.least_decade(), -5);
    EXPECT_EQ(axis.last_decade(), 0);
    for (std::size_t i = 0; i + 1 < values.size(); ++i)
        EXPECT_LT(axis.place(values[i]), axis.place(values[i + 1]));
    for (const double value : values) EXPECT_EQ(axis.place(-value), -axis.place(value));
    EXPECT_EQ(axis.place(-1), -1);
    EXPECT_GT(axis.place(1e-9), 0);
    EXPECT_LT(axis.place(1e-9), axis.place(2e-5));
}

TEST(LogAxis, AcceptsAnyValue) {
    const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
    for (const auto& values :
         std::vector<std::vector<double>>{{}, {0}, {nan, infinity}, {5e-324, 1e308}, {1}, {-infinity, 1e-3}}) {
        const LogAxis axis(values);
        EXPECT_LT(axis.least_decade(), axis.last_decade());
        EXPECT_LE(axis.last_decade() - axis.least_decade(), 12);
        EXPECT_EQ(axis.place(0), 0);
        EXPECT_EQ(axis.place(nan), 0);
        EXPECT_EQ(axis.place(infinity), 1);
        EXPECT_EQ(axis.place(-infinity), -1);
    }
}

}  // namespace
}  // namespace modelseal::util
