#include "util/spelling.h"

#include <gtest/gtest.h>

namespace modelseal::util {
namespace {

TEST(Spelling, FindsNamesThatDifferInTheirUnicodeFormOnly) {
    EXPECT_TRUE(may_be_same_text("caf\xC3\xA9.json", "cafe\xCC\x81.json"));  // U+00E9; e, U+0301
    EXPECT_TRUE(may_be_same_text("cafe\xCC\x81.json", "caf\xC3\xA9.json"));
    EXPECT_TRUE(may_be_same_text("\xE1\xBA\xA5", "a\xCC\x82\xCC\x81"));         // U+1EA5; a, U+0302, U+0301
    EXPECT_TRUE(may_be_same_text("\xE3\x81\x8C", "\xE3\x81\x8B\xE3\x82\x99"));  // U+304C; U+304B, U+3099
}

TEST(Spelling, DoesNotTakeOtherNamesForTheSame) {
    EXPECT_FALSE(may_be_same_text("caf\xC3\xA9", "caf\xC3\xA9"));  // they do not differ
    EXPECT_FALSE(may_be_same_text("cafe", "cafe\xCC\x81"));
    EXPECT_FALSE(may_be_same_text("cafe", "caf\xC3\xA9"));
    EXPECT_FALSE(may_be_same_text("caf\xC3\xA9", "cafe\xCC\x81s"));
    EXPECT_FALSE(may_be_same_text("a.json", "b.json"));
    EXPECT_FALSE(may_be_same_text("\xFF", "e\xCC\x81"));
    EXPECT_FALSE(may_be_same_text("", "a"));
}

}  // namespace
}  // namespace modelseal::util
