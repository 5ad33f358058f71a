#include "http/retry.h"

#include <gtest/gtest.h>

namespace modelseal::http {
namespace {

using namespace std::chrono_literals;

TEST(Retry, WaitsAsLongAsItIsAskedToUpToAHalfMinute) {
    EXPECT_EQ(retry_after("0"), 0s);
    EXPECT_EQ(retry_after("7"), 7s);
    EXPECT_EQ(retry_after("30"), 30s);
    for (const char* longer : {"31", "4294967295", "4294967296", "99999999999999999999"})
        EXPECT_EQ(retry_after(longer), 30s) << longer;
    for (const char* other :
         {"", " 7", "7 ", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999x"})
        EXPECT_EQ(retry_after(other), std::nullopt) << other;
}

TEST(Retry, WaitsTwiceAsLongEachTimeUpToAHalfMinute) {
    for (int i = 0; i < 100; ++i) {
        for (unsigned retry = 0; retry < 5; ++retry) {
            const auto full = 100ms * (1 << retry), wait = wait_before(retry, 100ms);
            EXPECT_GE(wait, full / 2);
            EXPECT_LE(wait, full);
        }
        EXPECT_GE(wait_before(40, 100ms), 15s);
        EXPECT_LE(wait_before(40, 100ms), 30s);
    }
}

}  // namespace
}  // namespace modelseal::http
