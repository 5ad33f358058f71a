#include "cli/terminal/width.h"

#include <gtest/gtest.h>

namespace modelseal::cli {
namespace {

TEST(Wrapped, BreaksLongLinesBetweenWords) {
    EXPECT_EQ(wrapped("one two three four", 9), "one two\n  three\n  four");
    EXPECT_EQ(wrapped("  one two three\nfour\n", 9), "  one two\n    three\nfour\n");
    EXPECT_EQ(wrapped("fits here\n", 9), "fits here\n");
    EXPECT_EQ(wrapped("a  b   c", 8), "a  b   c");
    EXPECT_EQ(wrapped("", 8), "");
}

TEST(Wrapped, LeavesAWordThatIsLongerThanALine) {
    EXPECT_EQ(wrapped("in /a/very/long/path it is", 9), "in\n  /a/very/long/path\n  it is");
}

TEST(Wrapped, CountsCharactersAndNoColors) {
    EXPECT_EQ(columns_of("\x1b[32msealed\x1b[0m \xC3\xA4"), 8u);
    EXPECT_EQ(wrapped("\x1b[31m\xC3\xA4\xC3\xA4 bb\x1b[0m", 5), "\x1b[31m\xC3\xA4\xC3\xA4 bb\x1b[0m");
}

}  // namespace
}  // namespace modelseal::cli
