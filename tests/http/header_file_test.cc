#include "http/header_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace modelseal::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(HeaderFile, HasAFieldALine) {
    const test::Scratch folder;
    const auto fields = read_header_file(folder.write(
        "headers",
        "\xEF\xBB\xBFX-API-Key: 0123 456\r\nhost:net.models.example\n\n  Authorization:  Basic bWU6 \n"));
    ASSERT_TRUE(fields.ok()) << fields.error().message;
    EXPECT_THAT(*fields, ElementsAre(Pair("X-API-Key", "0123 456"), Pair("host", "net.models.example"),
                                     Pair("Authorization", "Basic bWU6")));
}

struct SpoiledHeader {
    const char* text;
    const char* reason;
};

class SpoiledHeaderFile : public testing::TestWithParam<SpoiledHeader> {};

// No message has a value: it may be a key.
TEST_P(SpoiledHeaderFile, IsRefusedWithoutShowingAValue) {
    const auto fields = parse_header_fields(GetParam().text, "headers");
    ASSERT_FALSE(fields.ok());
    EXPECT_EQ(fields.error().kind, ErrorKind::usage);
    EXPECT_THAT(fields.error().message, HasSubstr(GetParam().reason));
    EXPECT_THAT(fields.error().message + fields.error().hint, Not(HasSubstr("secret")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, SpoiledHeaderFile,
    testing::Values(SpoiledHeader{"", "has no header field"}, SpoiledHeader{"\n\n", "has no header field"},
                    SpoiledHeader{"secret", "line 1 is not a header field"},
                    SpoiledHeader{"A: b\nX Y: secret", "line 2 is not a header field"},
                    SpoiledHeader{": secret", "line 1 is not a header field"},
                    SpoiledHeader{"X:", "no valid value for X"},
                    SpoiledHeader{"X: a\rsecret", "no valid value for X"},
                    SpoiledHeader{"X: \x7fsecret", "no valid value for X"},
                    SpoiledHeader{"Host: a\nHOST: secret", "line 2 has a second HOST"},
                    SpoiledHeader{"authorization: a\nAuthorization: secret", "has a second Authorization"},
                    SpoiledHeader{"Content-Length: 3", "Content-Length, which the client decides about"},
                    SpoiledHeader{"Proxy-Authorization: secret", "which the client decides about"},
                    SpoiledHeader{"Transfer-encoding: secret", "which the client decides about"}));

TEST(HeaderFile, IsCapped) {
    std::string many;
    for (int i = 0; i < 101; ++i) many += "X: y\n";
    EXPECT_FALSE(parse_header_fields(many, "headers").ok());
    const test::Scratch folder;
    EXPECT_FALSE(read_header_file(folder.write("large", "X: " + std::string(100'000, 'y'))).ok());
    EXPECT_EQ(read_header_file(folder / "none").error().kind, ErrorKind::unreadable);
}

TEST(HeaderFile, OnlyHostMayBePublic) {
    EXPECT_TRUE(may_be_public("HOST"));
    for (const auto* name : {"Authorization", "Cookie", "X-Host", "Hos"})
        EXPECT_FALSE(may_be_public(name)) << name;
}

}  // namespace
}  // namespace modelseal::http
