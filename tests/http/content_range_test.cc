#include "http/content_range.h"

#include <gtest/gtest.h>

namespace modelseal::http {
namespace {

TEST(ContentRange, StatesAPartOfAFile) {
    const auto range = parse_content_range("bytes 0-65535/8192000");
    ASSERT_TRUE(range);
    EXPECT_EQ(range->first, 0u);
    EXPECT_EQ(range->last, 65'535u);
    EXPECT_EQ(range->size, 8'192'000u);
    EXPECT_EQ(parse_content_range("Bytes 7-7/8")->size, 8u) << "units have no case";
    const auto open = parse_content_range("bytes 4096-8191/*");
    ASSERT_TRUE(open);
    EXPECT_EQ(open->first, 4096u);
    EXPECT_FALSE(open->size);
}

TEST(ContentRange, IsNothingElse) {
    for (const char* text :
         {"", "bytes", "bytes ", "bytes */8", "bytes 0-7", "bytes 0-7/", "bytes 0-7/8 ", "bytes 0-7/8x",
          "bytes 0-8/8", "bytes 7-6/8", "bytes -1-7/8", "bytes +1-7/8", "bytes 0x1-7/8", "bytes 0 - 7/8",
          "items 0-7/8", "bytes=0-7/8", "bytes 0-7/4611686018427387904", "bytes 0-7/18446744073709551616",
          "bytes 18446744073709551615-0/*"}) {
        EXPECT_FALSE(parse_content_range(text)) << text;
    }
}

}  // namespace
}  // namespace modelseal::http
