#include "policy/version.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace modelseal::policy {
namespace {

TEST(Version, AscendAsPeopleMeanThem) {
    const std::vector<std::string> ascending = {
        "0.9",        "1.0-alpha",   "1.0-alpha.1", "1.0-beta",
        "1.0-beta.2", "1.0-beta.11", "1.0-rc1",     "1.0",
        "1.0.post1",  "1.0.1",       "1.2",         "1.10",
        "2",          "10",          "2026.11.29",  "123456789012345678901234567890"};
    for (std::size_t i = 0; i < ascending.size(); ++i) {
        for (std::size_t j = 0; j < ascending.size(); ++j) {
            const auto order = compare_versions(ascending[i], ascending[j]);
            ASSERT_TRUE(order.has_value()) << ascending[i];
            EXPECT_EQ(*order < 0, i < j) << ascending[i] << " and " << ascending[j];
            EXPECT_EQ(*order == 0, i == j) << ascending[i] << " and " << ascending[j];
        }
    }
}

TEST(Version, SpelledInSeveralWays) {
    for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{{"2.1", "2.1.0"},
                                                                               {"v2.1", "2.1"},
                                                                               {"V2.01", "2.1"},
                                                                               {"1.0rc1", "1.0-RC.1"},
                                                                               {"2.1+build7", "2.1+other"},
                                                                               {"2_1", "2.1"}}) {
        EXPECT_EQ(compare_versions(a, b), std::strong_ordering::equal) << a << " and " << b;
    }
}

TEST(Version, OthersAreNone) {
    for (const char* text : {"", "v", "latest", "-1", "version 2", ".1"}) {
        EXPECT_FALSE(compare_versions(text, "1.0").has_value()) << text;
        EXPECT_FALSE(compare_versions("1.0", text).has_value()) << text;
    }
}

}  // namespace
}  // namespace modelseal::policy
