#include "oracle/credentials.h"

#include <gmock/gmock.h>

namespace modelseal::oracle {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<void> carry(const char* url, const EndpointOptions& options) {
    return may_carry(http::Url::parse(url).value(), options);
}

TEST(BearerToken, AcceptsOnlyTheSyntaxOfTheStandard) {
    for (const auto* token : {"a", "abc.DEF-123_~+/=="}) EXPECT_TRUE(is_bearer_token(token)) << token;
    for (const auto* text :
         {"", "=", "a b", "a=b", "a\n", "a\r\nX-Other: b", "a\tb", "a!", "\"a\"", "caf\xc3\xa9", "a\x7f"}) {
        EXPECT_FALSE(is_bearer_token(text)) << text;
    }
    const auto refused = carry("https://h/", {.token = "a\r\nX-Evil: 1"});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
}

TEST(Credentials, GoOverTlsOrToThisMachineOnly) {
    const EndpointOptions token{.token = "abc"}, key{.headers = {{"Host", "x"}, {"X-API-Key", "seven"}}};
    for (const auto* url : {"https://models.example/", "HTTPS://models.example/", "http://localhost:8000/",
                            "http://127.0.0.1/", "http://[::1]:80/"}) {
        EXPECT_TRUE(carry(url, token).ok()) << url;
        EXPECT_TRUE(carry(url, key).ok()) << url;
    }
    for (const auto* url : {"http://models.example/", "HTTP://models.example/", "http://127.0.0.1.example/"}) {
        const auto refused = carry(url, token);
        ASSERT_FALSE(refused.ok()) << url;
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
        EXPECT_THAT(refused.error().message, HasSubstr(": the token would be sent unencrypted"));
        const auto shown = carry(url, key);
        ASSERT_FALSE(shown.ok()) << url;
        EXPECT_THAT(shown.error().message, HasSubstr(": the header field X-API-Key would be sent unencrypted"));
        EXPECT_THAT(shown.error().message, Not(HasSubstr("seven")));
    }
    EXPECT_TRUE(carry("http://models.example/", {.headers = {{"host", "net.models.example"}}}).ok());
}

TEST(Credentials, ThatContradictEachOtherOrHaveNoUseAreRefused) {
    const auto two = carry("https://h/", {.token = "abc", .headers = {{"AUTHORIZATION", "Basic bWU6"}}});
    ASSERT_FALSE(two.ok());
    EXPECT_THAT(two.error().message, HasSubstr("a token and a header field Authorization"));
    EXPECT_TRUE(carry("https://h/", {.client_cert = "me.pem"}).ok());
    const auto open = carry("http://localhost/", {.client_cert = "me.pem"});
    ASSERT_FALSE(open.ok());
    EXPECT_EQ(open.error().kind, ErrorKind::usage);
}

}  // namespace
}  // namespace modelseal::oracle
