#include <gtest/gtest.h>

#include "hook/oci/challenge.h"
#include "hook/oci/names.h"

namespace modelseal::hook {
namespace {

TEST(OciNames, AreThoseOfTheSpecification) {
    for (const char* name :
         {"a", "acme/net", "a-b/c_d/e__f/g.h", "x--y", "0/1", "Host.example:5000/net", "ACME/net"})
        EXPECT_TRUE(is_repository(name)) << name;
    for (const char* name :
         {"",     "A",   "/a",  "a/",     "a//b", "..",     "a/../b", "a..b",   "a___b", "-a",   "a-",  "a b",
          "a%2f", "a\n", "a/B", "h:5000", "h:/a", "h:5x/a", "../a",   "a..B/c", "-A/b",  "A-/b", ":1/a"})
        EXPECT_FALSE(is_repository(name)) << name;
    EXPECT_FALSE(is_repository(std::string(256, 'a')));
    EXPECT_TRUE(is_tag("v1.0-Rc_1"));
    for (const char* tag : {"", ".a", "-a", "a/b", "a b"}) EXPECT_FALSE(is_tag(tag)) << tag;
    EXPECT_FALSE(is_tag(std::string(129, 'a')));
    EXPECT_TRUE(is_digest("sha256:" + std::string(64, 'a')));
    EXPECT_FALSE(is_digest("sha256:" + std::string(64, 'A')));
    EXPECT_FALSE(is_digest("sha256:" + std::string(63, 'a')));
    EXPECT_TRUE(is_digest("sha512:" + std::string(128, 'a')));
    EXPECT_FALSE(is_digest("sha512:" + std::string(64, 'a')));
    EXPECT_FALSE(is_digest("sha384:" + std::string(96, 'a')));
    EXPECT_FALSE(is_digest("sha256"));
    // FIPS 180-4, appendices B.1 and C.1.
    for (const char* digest :
         {"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          "sha512:"
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
          "454d4423643ce80e2a9ac94fa54ca49f"}) {
        EXPECT_TRUE(has_digest("abc", digest)) << digest;
        EXPECT_FALSE(has_digest("abd", digest)) << digest;
    }
    EXPECT_EQ(digest_of(std::as_bytes(std::span(kEmptyObject))),
              "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}

TEST(OciChallenge, IsReadAsItsRfcSays) {
    const auto bearer = parse_challenge(
        R"(Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push")");
    ASSERT_TRUE(bearer);
    EXPECT_EQ(bearer->scheme, Challenge::Scheme::bearer);
    EXPECT_EQ(bearer->realm, "https://auth.example/token");
    EXPECT_EQ(bearer->scope, "repository:a/b:pull,push");
    EXPECT_EQ(parse_challenge("Basic realm=x")->scheme, Challenge::Scheme::basic);
    EXPECT_EQ(parse_challenge(R"(Negotiate, bearer Realm = "r\"s" , error=e)")->realm, "r\"s");
    for (const char* header :
         {"", "Digest realm=x", "Bearer", "Bearer realm=\"open", "Bearer service=x", "==", "\xff"})
        EXPECT_FALSE(parse_challenge(header)) << header;
}

TEST(OciToken, IsFitForAHeader) {
    EXPECT_EQ(parse_token(R"({"token": "a.b-c", "expires_in": 5})")->text, "a.b-c");
    EXPECT_EQ(parse_token(R"({"token": "a", "expires_in": 5})")->lifetime.count(), 30);
    EXPECT_EQ(parse_token(R"({"access_token": "x"})")->text, "x");
    for (const char* body :
         {"", "{}", "[]", R"({"token": ""})", R"({"token": "a\r\nX: y"})", R"({"token": 5})"})
        EXPECT_FALSE(parse_token(body).ok()) << body;
}

}  // namespace
}  // namespace modelseal::hook
