#include "tests/support/services/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "tests/support/pki/certificates.h"
#include "tests/support/scratch.h"
#include "tests/support/services/http_client.h"

namespace modelseal::http {
namespace {

using test::client_with;
using test::hasty;
using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using test::Proxy;
using test::Variables;
using testing::HasSubstr;
using testing::Not;

// A host that no name server knows.
Request plain_request() {
    return {.url = Url::parse("http://model.test/v2/models/net").value(),
            .authorization = "Bearer abc",
            .own = {{"X-API-Key", "seven"}}};
}

HttpReply target_of(const HttpAsked& asked) {
    return {200, asked.target + " of " + asked.field("host")};
}

TEST(Proxies, TakeRequestsOverHttp) {
    HttpServer server(target_of);
    const Proxy proxy({{"model.test", server.port()}});
    for (const auto* name : {"http_proxy", "HTTP_PROXY"}) {
        const Variables variables{{name, proxy.url()}};
        const auto response = client_with().send(plain_request());
        ASSERT_TRUE(response.ok()) << name << response.error().message;
        EXPECT_EQ(response->body, "/v2/models/net of model.test");
    }
    EXPECT_EQ(proxy.heads().size(), 2u);
}

// httpoxy: a web server makes HTTP_PROXY of a header field of whoever asks it.
TEST(Proxies, AreNotThoseOfAWebServersClients) {
    const Proxy proxy({});
    const Variables variables{{"HTTP_PROXY", proxy.url()}, {"REQUEST_METHOD", "GET"}};
    auto options = hasty();
    options.retries = 0;
    EXPECT_THAT(client_with(options).send(plain_request()).error().message, HasSubstr("host not found"));
    EXPECT_TRUE(proxy.heads().empty());
}

TEST(Proxies, TunnelTlsAndSeeNoSecret) {
    const test::Scratch scratch;
    const auto authority = test::make_authority("an authority");
    const auto certificate = test::issue(authority, "DNS:model.test");
    const test::TlsFiles files{certificate.pem, certificate.key};
    HttpServer server([](const HttpAsked& asked) { return HttpReply{200, asked.field("x-api-key")}; }, &files);
    const Proxy proxy({{"model.test", server.port()}}, "bWU6cHc=");
    auto options = hasty();
    options.ca_file = scratch.write("ca.pem", authority.pem);
    options.retries = 0;
    auto request = plain_request();
    request.url = Url::parse("https://model.test/v2/models/net").value();
    {
        const Variables variables{{"HTTPS_PROXY", "http://me:pw@" + proxy.authority()}};
        auto client = client_with(options);
        for (int i = 0; i < 2; ++i) {
            const auto response = client.send(request);
            ASSERT_TRUE(response.ok()) << response.error().message;
            EXPECT_EQ(response->body, "seven");
        }
        ASSERT_EQ(proxy.heads().size(), 1u) << "the tunnel is kept";
        EXPECT_THAT(proxy.heads()[0], HasSubstr("CONNECT model.test:443"));
        EXPECT_THAT(proxy.heads()[0], Not(HasSubstr("seven")));
        EXPECT_THAT(proxy.heads()[0], Not(HasSubstr("abc")));
    }
    const Variables variables{{"https_proxy", "http://me:wrong@" + proxy.authority()}};
    const auto refused = client_with(options).send(request);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("its proxy answers with status 407"));
    EXPECT_THAT(refused.error().message, Not(HasSubstr("wrong")));
    EXPECT_THAT(refused.error().hint, HasSubstr("https_proxy"));
}

TEST(Proxies, AreNotForHostsThatAreExcluded) {
    HttpServer server(target_of);
    const Proxy proxy({{"model.test", server.port()}});
    const Variables variables{{"HTTP_PROXY", proxy.url()}, {"NO_PROXY", "other.test,.test"}};
    auto options = hasty();
    options.retries = 0;
    EXPECT_THAT(client_with(options).send(plain_request()).error().message, HasSubstr("host not found"));
    // What may go to this machine alone does not go to a proxy.
    EXPECT_TRUE(client_with().send({.url = test::at(server)}).ok());
    EXPECT_TRUE(proxy.heads().empty());
}

TEST(Proxies, ThatAreNotThereAreNamed) {
    const Variables variables{{"HTTP_PROXY", "http://user:pass@proxy.invalid:3128"}};
    auto options = hasty();
    options.retries = 0;
    const auto response = client_with(options).send(plain_request());
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("its proxy was not found: "));
    EXPECT_THAT(response.error().message, Not(HasSubstr("pass")));
}

}  // namespace
}  // namespace modelseal::http
