#include <gmock/gmock.h>

#include "oracle/http/url.h"

namespace modelseal::oracle {
namespace {

using testing::HasSubstr;

TEST(BearerToken, AcceptsOnlyTheSyntaxOfTheStandard) {
    for (const auto* token : {"a", "abc.DEF-123_~+/=="}) EXPECT_TRUE(is_bearer_token(token)) << token;
    for (const auto* text :
         {"", "=", "a b", "a=b", "a\n", "a\r\nX-Other: b", "a\tb", "a!", "\"a\"", "caf\xc3\xa9", "a\x7f"}) {
        EXPECT_FALSE(is_bearer_token(text)) << text;
    }
}

TEST(BearerToken, IsSentOverTlsOrToThisMachineOnly) {
    for (const auto* url : {"https://models.example/", "HTTPS://models.example/", "http://localhost:8000/",
                            "http://127.0.0.1/", "http://[::1]:80/"}) {
        EXPECT_TRUE(may_carry(*parse_url(url), "abc").ok()) << url;
    }
    for (const auto* url : {"http://models.example/", "HTTP://models.example/", "http://127.0.0.1.example/"}) {
        const auto refused = may_carry(*parse_url(url), "abc");
        ASSERT_FALSE(refused.ok()) << url;
        EXPECT_EQ(refused.error().kind, ErrorKind::usage);
        EXPECT_THAT(refused.error().message, HasSubstr(": the token would be sent unencrypted"));
    }
}

}  // namespace
}  // namespace modelseal::oracle
