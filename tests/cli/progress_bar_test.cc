#include "cli/terminal/progress_bar.h"

#include <gtest/gtest.h>

namespace modelseal::cli {
namespace {

constexpr std::uint64_t kGiga = 1'000'000'000;

std::string line(const Task& task, std::uint64_t done, std::uint64_t total, double seconds,
                 Counted counted = Counted::bytes, std::size_t columns = 80) {
    return progress_line(task, done, total, seconds, counted, columns);
}

TEST(ProgressLine, ShowsHowFarHowFastAndHowLong) {
    EXPECT_EQ(line({"sealing", "x.onnx"}, 42 * kGiga, 100 * kGiga, 30),
              "sealing x.onnx   42 %   1.4 GB/s   0:41 left");
    EXPECT_EQ(line({"sealing", "x"}, kGiga, 20000 * kGiga, 1), "sealing x   0 %   1.0 GB/s   5:33:19 left");
}

TEST(ProgressLine, ShowsNoUnknownFigures) {
    EXPECT_EQ(line({"sealing", "x"}, 0, 100, 5), "sealing x   0 %   0.0 GB/s");
    EXPECT_EQ(line({"sealing", "x"}, 3 * kGiga, 0, 2), "sealing x   3.0 GB   1.5 GB/s");
    EXPECT_EQ(line({"sealing", "x"}, 0, 0, 0), "sealing x   0.0 GB   0.0 GB/s");
}

TEST(ProgressLine, OfStepsShowsNoSpeed) {
    EXPECT_EQ(line({"tracing", "x"}, 42, 100, 42, Counted::steps), "tracing x   42 %   0:58 left");
    EXPECT_EQ(line({"tracing", "x"}, 42, 0, 42, Counted::steps), "tracing x   42");
}

TEST(ProgressLine, ShowsAHundredPercentOnlyAtTheEnd) {
    EXPECT_EQ(line({"sealing", "x"}, 999, 1000, 1), "sealing x   99 %   0.0 GB/s   0:00 left");
    EXPECT_EQ(line({"sealing", "x"}, 1000, 1000, 1), "sealing x   100 %   0.0 GB/s   0:00 left");
    EXPECT_EQ(line({"sealing", "x"}, 2000, 1000, 1), "sealing x   100 %   0.0 GB/s   0:00 left");
}

TEST(ProgressLine, CountsSeveralPiecesOfWork) {
    EXPECT_EQ(line({"checking", "x", 123, 1000}, kGiga, 2 * kGiga, 1),
              "checking 123/1,000 x   50 %   1.0 GB/s   0:01 left");
}

TEST(ProgressLine, KeepsTheVerbAndTheEndOfTheNameInANarrowTerminal) {
    const Task task{"checking", "models/production_release_2026.safetensors"};
    EXPECT_EQ(line(task, kGiga, 2 * kGiga, 1, Counted::bytes, 59),
              "checking ..._2026.safetensors   50 %   1.0 GB/s   0:01 left");
    EXPECT_EQ(line(task, kGiga, 2 * kGiga, 1, Counted::bytes, 39), "checking ...ase_2026.safetensors   50 %");
    EXPECT_EQ(line(task, kGiga, 2 * kGiga, 1, Counted::bytes, 18), "checking   50 %");
    // Not in the middle of a character.
    EXPECT_EQ(
        line({"checking", "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F\xC3\xA4\xC3\xB6"}, 1, 2, 0, Counted::steps, 21),
        "checking ...\xC3\xA4\xC3\xB6   50 %");
}

}  // namespace
}  // namespace modelseal::cli
