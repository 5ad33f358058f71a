#include "oracle/http/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modelseal::oracle {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Url, SplitsHostPortAndPath) {
    const auto url = parse_url("HTTPS://Models.Example:8443/v2/models/a/");
    ASSERT_TRUE(url.ok()) << url.error().message;
    EXPECT_TRUE(url->tls);
    EXPECT_EQ(url->host, "models.example");
    EXPECT_EQ(url->port, 8443);
    EXPECT_EQ(url->path, "/v2/models/a");
    EXPECT_EQ(url->origin(), "https://models.example:8443");
}

TEST(Url, KnowsTheSchemesOwnPorts) {
    EXPECT_EQ(parse_url("http://h/")->port, 80);
    EXPECT_EQ(parse_url("https://h")->port, 443);
    EXPECT_EQ(parse_url("https://h:443/x")->host_header(), "h");
    EXPECT_EQ(parse_url("http://h:443/x")->host_header(), "h:443");
}

TEST(Url, AcceptsIPv6AddressesInBrackets) {
    const auto url = parse_url("http://[::1]:8000/v2");
    ASSERT_TRUE(url.ok()) << url.error().message;
    EXPECT_EQ(url->host, "::1");
    EXPECT_EQ(url->port, 8000);
    EXPECT_EQ(url->host_header(), "[::1]:8000");
    EXPECT_TRUE(url->is_address());
}

TEST(Url, EncodesCharactersThatAPathCannotHaveAndKeepsEscapes) {
    EXPECT_EQ(parse_url("http://h/v2/models/my net\xC3\xA4<x>%2Fy")->path,
              "/v2/models/my%20net%C3%A4%3Cx%3E%2Fy");
}

TEST(Url, LoopbackIsThisMachineOnly) {
    for (const auto* mine :
         {"http://localhost/", "http://127.0.0.1/", "http://127.9.9.9:80/", "http://[::1]/"}) {
        EXPECT_TRUE(parse_url(mine)->is_loopback()) << mine;
    }
    for (const auto* other : {"http://localhost.example/", "http://127.0.0.1.example/", "http://128.0.0.1/",
                              "http://[::2]/", "http://127.evil/"}) {
        EXPECT_FALSE(parse_url(other)->is_loopback()) << other;
    }
}

struct UrlCase {
    const char* text;
    const char* reason;
};

class SpoiledUrl : public testing::TestWithParam<UrlCase> {};

TEST_P(SpoiledUrl, IsRefused) {
    const auto url = parse_url(GetParam().text);
    ASSERT_FALSE(url.ok());
    EXPECT_EQ(url.error().kind, ErrorKind::usage);
    EXPECT_THAT(url.error().message, HasSubstr(GetParam().reason));
    EXPECT_THAT(url.error().message, Not(HasSubstr("secret")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, SpoiledUrl,
    testing::Values(UrlCase{"ftp://h/x", "neither http:// nor https://"}, UrlCase{"http:///x", "no host name"},
                    UrlCase{"http://me:secret@h/x", "user name or password"},
                    UrlCase{"http://h/x?key=secret", "a query"}, UrlCase{"http://h/x#y", "a fragment"},
                    UrlCase{"http://h:0/", "no valid port"}, UrlCase{"http://h:65536/", "no valid port"},
                    UrlCase{"http://h:80x/", "no valid port"}, UrlCase{"http://h:/", "no valid port"},
                    UrlCase{"http://[::1/", "without a ']'"}, UrlCase{"http://[fe80]/", "no IPv6 address"},
                    UrlCase{"http://[::1]x/", "no valid port"}, UrlCase{"http://h\xC3\xA4/", "no host name"},
                    UrlCase{"http://a b/", "no host name"},
                    UrlCase{"http://h/\r\nHost: x", "control character"}, UrlCase{"http://h/%4", "hexadecimal"},
                    UrlCase{"http://h/%zz", "hexadecimal"}));

}  // namespace
}  // namespace modelseal::oracle
