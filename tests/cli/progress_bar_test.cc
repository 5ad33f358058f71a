#include "cli/progress_bar.h"

#include <gtest/gtest.h>

namespace modelseal::cli {
namespace {

constexpr std::uint64_t kGiga = 1'000'000'000;

TEST(ProgressLine, ShowsShareSpeedAndRemainingTime) {
    EXPECT_EQ(progress_line("sealing x.onnx", 42 * kGiga, 100 * kGiga, 30),
              "sealing x.onnx   42 %   1.4 GB/s   0:41 left");
    EXPECT_EQ(progress_line("x", kGiga, 20000 * kGiga, 1), "x   0 %   1.0 GB/s   5:33:19 left");
}

TEST(ProgressLine, ShowsNoUnknownFigures) {
    EXPECT_EQ(progress_line("x", 0, 100, 5), "x   0 %   0.0 GB/s");
    EXPECT_EQ(progress_line("x", 3 * kGiga, 0, 2), "x   3.0 GB   1.5 GB/s");
    EXPECT_EQ(progress_line("x", 0, 0, 0), "x   0.0 GB   0.0 GB/s");
}

TEST(ProgressLine, OfStepsShowsNoSpeed) {
    EXPECT_EQ(progress_line("x", 42, 100, 42, Counted::steps), "x   42 %   0:58 left");
    EXPECT_EQ(progress_line("x", 42, 0, 42, Counted::steps), "x   42");
}

TEST(ProgressLine, ShowsAHundredPercentOnlyAtTheEnd) {
    EXPECT_EQ(progress_line("x", 999, 1000, 1), "x   99 %   0.0 GB/s   0:00 left");
    EXPECT_EQ(progress_line("x", 1000, 1000, 1), "x   100 %   0.0 GB/s   0:00 left");
    EXPECT_EQ(progress_line("x", 2000, 1000, 1), "x   100 %   0.0 GB/s   0:00 left");
}

}  // namespace
}  // namespace modelseal::cli
