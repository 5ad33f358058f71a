#include "policy/glob.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modelseal::policy {
namespace {

using testing::HasSubstr;

Glob glob(std::string_view pattern) {
    return Glob::parse(pattern).value();
}
bool matches(std::string_view pattern, std::string_view name) {
    return glob(pattern).matches(name);
}
bool covers(std::string_view pattern, std::string_view other) {
    return glob(pattern).covers(glob(other));
}

TEST(Glob, MatchesAWholeName) {
    EXPECT_TRUE(matches("acme/net.onnx", "acme/net.onnx"));
    EXPECT_FALSE(matches("acme/net.onnx", "acme/net.onnx2"));
    EXPECT_FALSE(matches("acme/net.onnx", "x/acme/net.onnx"));
    EXPECT_FALSE(matches("acme", "acme/net.onnx"));
}

TEST(Glob, StarStaysInAPart) {
    EXPECT_TRUE(matches("acme/resnet-*", "acme/resnet-50"));
    EXPECT_TRUE(matches("acme/resnet-*", "acme/resnet-"));
    EXPECT_FALSE(matches("acme/resnet-*", "acme/resnet-50/model.onnx"));
    EXPECT_TRUE(matches("*/*.onnx", "acme/net.onnx"));
    EXPECT_FALSE(matches("*.onnx", "acme/net.onnx"));
    EXPECT_TRUE(matches("a*b*c", "aXbYbZc"));
    EXPECT_FALSE(matches("a*b*c", "aXbYbZ"));
    EXPECT_TRUE(matches("ab*ab", "abab"));
    EXPECT_FALSE(matches("ab*ab", "ab"));
    EXPECT_FALSE(matches("aba*aba", "ababa"));
}

TEST(Glob, TwoStarsCrossParts) {
    EXPECT_TRUE(matches("acme/**", "acme/resnet/50/model.onnx"));
    EXPECT_FALSE(matches("acme/**", "acme"));
    EXPECT_TRUE(matches("**", "a/b/c"));
    EXPECT_TRUE(matches("**.onnx", "a/b.onnx"));
}

TEST(Glob, TwoStarsAndASlashAreAnyNumberOfFolders) {
    EXPECT_TRUE(matches("**/model.onnx", "model.onnx"));
    EXPECT_TRUE(matches("**/model.onnx", "a/b/model.onnx"));
    EXPECT_FALSE(matches("**/model.onnx", "a/amodel.onnx"));
    EXPECT_TRUE(matches("a/**/b", "a/b"));
    EXPECT_TRUE(matches("a/**/b", "a/x/y/b"));
    EXPECT_FALSE(matches("a/**/b", "a/xb"));
    EXPECT_TRUE(matches("/srv/**/b", "/srv/x/b"));
}

TEST(Glob, ClassesAndEscapes) {
    EXPECT_TRUE(matches("v[0-9].onnx", "v7.onnx"));
    EXPECT_FALSE(matches("v[0-9].onnx", "vx.onnx"));
    EXPECT_TRUE(matches("v[!0-9].onnx", "vx.onnx"));
    EXPECT_FALSE(matches("a[!b]c", "a/c"));
    EXPECT_TRUE(matches("[]a]", "]"));
    EXPECT_TRUE(matches("[a-]", "-"));
    EXPECT_TRUE(matches("a?c", "abc"));
    EXPECT_FALSE(matches("a?c", "a/c"));
    EXPECT_TRUE(matches("a\\*c", "a*c"));
    EXPECT_FALSE(matches("a\\*c", "abc"));
    EXPECT_TRUE(matches("\xC3\xA4*", "\xC3\xA4x"));
}

TEST(Glob, RefusesWhatIsAMistake) {
    const auto message = [](std::string_view pattern) {
        const auto parsed = Glob::parse(pattern);
        return parsed.ok() ? std::string("accepted") : parsed.error().message;
    };
    EXPECT_THAT(message(""), HasSubstr("empty"));
    EXPECT_THAT(message("a//b"), HasSubstr("has a part that no name has"));
    EXPECT_THAT(message("./a"), HasSubstr("has a part that no name has"));
    EXPECT_THAT(message("a/../b"), HasSubstr("has a part that no name has"));
    EXPECT_THAT(message("a/"), HasSubstr("has a part that no name has"));
    EXPECT_THAT(message("a[bc"), HasSubstr("'[' without its ']'"));
    EXPECT_THAT(message("a[/]"), HasSubstr("no character"));
    EXPECT_THAT(message("a\\"), HasSubstr("ends with a backslash"));
    EXPECT_THAT(message("a/***"), HasSubstr("three stars"));
}

TEST(Glob, CoversNarrowerPatterns) {
    for (const auto& [wide, narrow] :
         std::vector<std::pair<std::string, std::string>>{{"**", "a"},
                                                          {"**", "**/b"},
                                                          {"**", "a/*/[xy]?"},
                                                          {"acme/**", "acme/resnet-*"},
                                                          {"acme/*", "acme/resnet-*"},
                                                          {"acme/*", "acme/*"},
                                                          {"*", "?"},
                                                          {"a?", "ab"},
                                                          {"[a-z]", "[c-f]"},
                                                          {"**/b", "b"},
                                                          {"**/b", "**/b"},
                                                          {"**/b", "x/y/b"},
                                                          {"ab*ab", "ab?ab"},
                                                          {"a[b]*", "ab\\*c"},
                                                          {"a/**/b", "a/b"},
                                                          {"**/*.onnx", "*/net.onnx"}}) {
        EXPECT_TRUE(covers(wide, narrow)) << wide << " covers " << narrow;
    }
}

TEST(Glob, DoesNotCoverOthers) {
    for (const auto& [one, other] :
         std::vector<std::pair<std::string, std::string>>{{"acme/*", "acme/**"},
                                                          {"acme/resnet-*", "acme/*"},
                                                          {"a", "a*"},
                                                          {"ab*", "a*"},
                                                          {"*ab", "*b"},
                                                          {"ab*ab", "ab"},
                                                          {"ab*ab", "abab*"},
                                                          {"?", "*"},
                                                          {"*", "**"},
                                                          {"*", "a/b"},
                                                          {"**/b", "**b"},
                                                          {"**/b", "*b"},
                                                          {"[a-c]", "[b-d]"},
                                                          {"a/**/b", "a/**b"}}) {
        EXPECT_FALSE(covers(one, other)) << one << " does not cover " << other;
    }
}

TEST(Glob, IsNoLongerThanANameCanBe) {
    EXPECT_TRUE(matches(std::string(kMostPattern, 'a'), std::string(kMostPattern, 'a')));
    const auto refused = Glob::parse(std::string(kMostPattern + 1, 'a'));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    EXPECT_EQ(refused.error().message, "a pattern of 4,097 bytes, more than any name has");
}

// A pattern that backtracking would take years for.
TEST(Glob, TakesTimeInProportion) {
    std::string pattern, name(20'000, 'a');
    for (int i = 0; i < 50; ++i) pattern += "a*";
    EXPECT_FALSE(matches(pattern + "b", name));
    EXPECT_TRUE(matches(pattern, name));
}

}  // namespace
}  // namespace modelseal::policy
