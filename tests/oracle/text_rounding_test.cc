#include <cmath>
#include <cstdlib>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oracle/output_tensor.h"

namespace modelseal::oracle {
namespace {

// Values as they come out of networks, written with `format` and read back.
std::vector<float> through_text(std::size_t count, double scale, const char* format) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal(0, scale);
    std::vector<float> values;
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<float>(normal(random));
        values.push_back(std::strtof(fmt::format(fmt::runtime(format), value).c_str(), nullptr));
    }
    return values;
}

TEST(TextRounding, IsNoneWhereEveryDigitIsThere) {
    for (const double scale : {1e-6, 1e-3, 0.1, 1.0, 20.0, 1e4}) {
        for (const std::size_t count : {10u, 100u, 1000u}) {
            EXPECT_EQ(text_rounding(through_text(count, scale, "{}")), 0) << scale << " " << count;
            EXPECT_EQ(text_rounding(through_text(count, scale, "{:.9g}")), 0) << scale << " " << count;
        }
    }
}

TEST(TextRounding, IsHalfOfTheLastDecimal) {
    EXPECT_DOUBLE_EQ(text_rounding(through_text(100, 1.0, "{:.2f}")), 0.5e-2);
    EXPECT_DOUBLE_EQ(text_rounding(through_text(100, 1.0, "{:.4f}")), 0.5e-4);
    EXPECT_DOUBLE_EQ(text_rounding(through_text(100, 10.0, "{:.4f}")), 0.5e-4);
    EXPECT_DOUBLE_EQ(text_rounding(through_text(100, 0.1, "{:.6f}")), 0.5e-6);
    EXPECT_DOUBLE_EQ(text_rounding(through_text(10, 0.1, "{:.6f}")), 0.5e-6);
}

TEST(TextRounding, CountsDigitsFromTheFirstAsWell) {
    // The largest value is between 10 and 100: six digits of it leave four decimals.
    EXPECT_DOUBLE_EQ(text_rounding(through_text(100, 10.0, "{:.6g}")), 0.5e-4);
    EXPECT_DOUBLE_EQ(text_rounding(through_text(100, 10.0, "{:.7g}")), 0.5e-5);
}

TEST(TextRounding, CoversTheErrorThatWasMade) {
    for (const auto* format : {"{:.3f}", "{:.5f}", "{:.5g}", "{:.6g}", "{:.3e}"}) {
        const auto exact = through_text(200, 3.0, "{}");
        const auto sent = through_text(200, 3.0, format);
        double worst = 0;
        for (std::size_t i = 0; i < exact.size(); ++i) {
            worst = std::max(worst, std::abs(static_cast<double>(exact[i]) - static_cast<double>(sent[i])));
        }
        EXPECT_GE(text_rounding(sent) + 1e-6, worst) << format;  // values below 16 are steps of 1e-6 apart
    }
}

TEST(TextRounding, OfNothingThatTellsIsNone) {
    EXPECT_EQ(text_rounding({}), 0);
    const std::vector<float> odd{0.0f, std::nanf(""), INFINITY};
    EXPECT_EQ(text_rounding(odd), 0);
}

}  // namespace
}  // namespace modelseal::oracle
