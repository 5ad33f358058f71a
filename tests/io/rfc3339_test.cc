#include "io/rfc3339.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace modelseal::io {
namespace {

TEST(Rfc3339, RoundTrips) {
    for (const std::int64_t seconds : {0LL, 951782400LL, 1'900'000'000LL, 4102444799LL, 253402300799LL}) {
        EXPECT_EQ(parse_rfc3339(rfc3339(seconds)), seconds);
    }
    EXPECT_EQ(rfc3339(951782400), "2000-02-29T00:00:00Z");
}

TEST(Rfc3339, RefusesWhatIsNotATimeInUtc) {
    for (const char* text :
         {"", "2026-11-21", "2026-11-21T00:00:00", "2026-11-21T00:00:00+01:00", "2026-02-29T00:00:00Z",
          "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
          "2026-01-01T00:00:60Z", "1969-12-31T23:59:59Z", "2026-1-01T000:00:00Z", " 026-01-01T00:00:00Z",
          "2026-01-01t00:00:00Z", "2026-01-01T00:00:00Z ", "+026-01-01T00:00:00Z"}) {
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
    }
}

// 1985 is neither now nor the start of the count. The clock of ledgers and logs stays the clock.
TEST(Rfc3339, BuildTimeIsTheSourceDateIfOneIsSet) {
    ASSERT_EQ(setenv("SOURCE_DATE_EPOCH", "480000000", 1), 0);
    EXPECT_EQ(build_time().value(), "1985-03-18T13:20:00Z");
    EXPECT_GT(seconds_now(), 1'700'000'000);
    for (const char* given :
         {"", "-1", "480000000s", "1700000000.5", "yesterday", "253402300800", "99999999999999999999"}) {
        ASSERT_EQ(setenv("SOURCE_DATE_EPOCH", given, 1), 0);
        ASSERT_FALSE(build_time().ok()) << given;
        EXPECT_EQ(build_time().error().kind, ErrorKind::usage) << given;
    }
    unsetenv("SOURCE_DATE_EPOCH");
    EXPECT_GT(build_seconds().value(), 1'700'000'000);
}

}  // namespace
}  // namespace modelseal::io
