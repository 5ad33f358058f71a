#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/options/values.h"

namespace modelseal::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Numbers, AreReadAsLists) {
    EXPECT_THAT(*float_list("0.485,-1,2e-3", "--mean"), ElementsAre(0.485f, -1, 2e-3f));
    EXPECT_THAT(*float_list("", "--mean"), ElementsAre());
    EXPECT_THAT(*extent_list("3,32,32", "--input-shape"), ElementsAre(3, 32, 32));
}

TEST(Numbers, RefuseOtherText) {
    for (const char* text : {",", "1,", ",1", "1,,2", "1 2", "x", "nan", "inf", "1e99", "0x10"}) {
        const auto refused = float_list(text, "--mean");
        ASSERT_FALSE(refused.ok()) << text;
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
        EXPECT_THAT(refused.error().message, HasSubstr("--mean"));
    }
    for (const char* text : {"0", "-3", "3.5", "3,0", "99999999999999999999"}) {
        EXPECT_FALSE(extent_list(text, "--input-shape").ok()) << text;
    }
}

TEST(ByteCount, TakesUnits) {
    EXPECT_EQ(byte_count("1048576", "--shard-size").value(), 1048576u);
    EXPECT_EQ(byte_count("64MiB", "--shard-size").value(), 64u << 20);
    EXPECT_EQ(byte_count("1m", "--shard-size").value(), 1u << 20);
    EXPECT_EQ(byte_count("1GB", "--shard-size").value(), 1'000'000'000u);
    EXPECT_EQ(byte_count("8388607T", "--shard-size").value(), 8388607ull << 40);
    EXPECT_FALSE(byte_count("", "--shard-size").value().has_value());
    for (const char* text :
         {"0", "0K", "-1", "1.5M", "M", "1X", "1MBB", "1 M", "8388609T", "99999999999999999999"}) {
        const auto refused = byte_count(text, "--shard-size");
        ASSERT_FALSE(refused.ok()) << text;
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
        EXPECT_THAT(refused.error().message, HasSubstr("--shard-size takes a number of bytes such as"));
    }
}

TEST(FutureTime, AcceptsADayOrATime) {
    EXPECT_EQ(*future_time("2027-06-30", "--expires", 0), "2027-06-30T23:59:59Z");
    EXPECT_EQ(*future_time("2027-06-30T12:00:00Z", "--expires", 0), "2027-06-30T12:00:00Z");
    EXPECT_EQ(*future_time("", "--expires", 0), "");
    EXPECT_THAT(future_time("2027-06-31", "--expires", 0).error().message, HasSubstr("'2027-06-31'"));
    EXPECT_THAT(future_time("tomorrow", "--expires", 0).error().message, HasSubstr("--expires"));
    EXPECT_THAT(future_time("1970-01-01", "--expires", 1'000'000).error().message, HasSubstr("is in the past"));
}

}  // namespace
}  // namespace modelseal::cli
