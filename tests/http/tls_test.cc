#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "tests/support/pki/certificates.h"
#include "tests/support/scratch.h"
#include "tests/support/services/http_client.h"

namespace modelseal::http {
namespace {

using test::at;
using test::Certificate;
using test::client_with;
using test::hasty;
using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using testing::HasSubstr;

HttpReply echo_of_credentials(const HttpAsked& asked) {
    return {200, asked.field("authorization")};
}

class HttpTls : public testing::Test {
  protected:
    const Certificate authority_ = test::make_authority("an authority");
    const test::Scratch scratch_;

    ClientOptions trusting(const std::string& pem) const {
        auto options = hasty();
        options.ca_file = scratch_.write("ca.pem", pem);
        return options;
    }
    // The result of one request to a server with a certificate for `names`.
    Result<Response> ask(const std::string& names, const std::string& host, int days = 1,
                         const std::string& trusted = {}) {
        const auto certificate = test::issue(authority_, names, days);
        const test::TlsFiles files{certificate.pem, certificate.key};
        HttpServer server(echo_of_credentials, &files);
        return client_with(trusting(trusted.empty() ? authority_.pem : trusted))
            .send({.url = at(server, "/", host), .authorization = "Bearer abc"});
    }
    // The same by a client with these options to a server that wants a certificate of `clients`.
    Result<Response> ask_mutually(ClientOptions options, const std::string& clients) {
        const auto certificate = test::issue(authority_, "IP:127.0.0.1");
        const test::TlsFiles files{certificate.pem, certificate.key, clients};
        HttpServer server([](const HttpAsked&) { return HttpReply{200, "for clients"}; }, &files);
        options.ca_file = scratch_.write("ca.pem", authority_.pem);
        return client_with(options).send({.url = at(server)});
    }
};

TEST_F(HttpTls, TrustsAnAuthorityThatItIsGiven) {
    const auto response = ask("DNS:localhost", "localhost");
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->body, "Bearer abc");
}

TEST_F(HttpTls, KnowsServersByTheirAddressToo) {
    const auto response = ask("IP:127.0.0.1", "127.0.0.1");
    EXPECT_TRUE(response.ok()) << response.error().message;
}

TEST_F(HttpTls, TrustsEachCertificateOfTheFile) {
    const auto other = test::make_authority("another");
    EXPECT_TRUE(ask("DNS:localhost", "localhost", 1, other.pem + authority_.pem).ok());
}

TEST_F(HttpTls, RefusesACertificateForAnotherName) {
    for (const auto* names :
         {"DNS:example.org", "DNS:*.localhost", "IP:127.0.0.1", "DNS:localhost.example.org"}) {
        const auto response = ask(names, "localhost");
        ASSERT_FALSE(response.ok()) << names;
        EXPECT_EQ(response.error().kind, ErrorKind::unreadable);
        EXPECT_THAT(response.error().message, HasSubstr("its certificate is not accepted:"));
    }
    const auto response = ask("DNS:localhost", "127.0.0.1");
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("its certificate is not accepted:"));
}

// RFC 9525: a name in the subject is not a name of the server, whoever signed it.
TEST_F(HttpTls, RefusesACertificateWithoutNamesOfItsServer) {
    const auto by_subject = ask("", "localhost");
    ASSERT_FALSE(by_subject.ok());
    EXPECT_THAT(by_subject.error().message,
                HasSubstr("does not name the server as a subject alternative name"));
    const auto by_address = ask("", "127.0.0.1");
    ASSERT_FALSE(by_address.ok());
    EXPECT_THAT(by_address.error().message, HasSubstr("its certificate is not accepted:"));
}

TEST_F(HttpTls, RefusesUnknownAuthorities) {
    const auto response = ask("DNS:localhost", "localhost", 1, test::make_authority("an authority").pem);
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("its certificate is not accepted:"));
}

TEST_F(HttpTls, RefusesAnExpiredCertificate) {
    const auto response = ask("DNS:localhost", "localhost", -1);
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("certificate has expired"));
}

TEST_F(HttpTls, TrustsTheSystemAloneIfItIsGivenNoAuthority) {
    const auto certificate = test::issue(authority_, "DNS:localhost");
    const test::TlsFiles files{certificate.pem, certificate.key};
    HttpServer server([](const HttpAsked&) { return HttpReply{}; }, &files);
    const auto response = client_with().send({.url = at(server, "/", "localhost")});
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("its certificate is not accepted:"));
    EXPECT_THAT(response.error().hint, HasSubstr("authority of its own"));
    EXPECT_TRUE(server.asked().empty());
}

TEST_F(HttpTls, IsNotLeftByARedirect) {
    HttpServer plain([](const HttpAsked&) { return HttpReply{200}; });
    const auto certificate = test::issue(authority_, "IP:127.0.0.1");
    const test::TlsFiles files{certificate.pem, certificate.key};
    HttpServer server(
        [&](const HttpAsked&) {
            return HttpReply{307, "", {{"Location", plain.url("/")}}};
        },
        &files);
    for (const auto redirected : {Redirects::reading, Redirects::same_host}) {
        auto options = trusting(authority_.pem);
        options.redirected = redirected;
        const auto down = client_with(options).send({.url = at(server)});
        ASSERT_FALSE(down.ok());
        EXPECT_THAT(down.error().message, HasSubstr("not encrypted"));
    }
    EXPECT_EQ(plain.connections(), 0u);
}

TEST_F(HttpTls, ReportsAServerWithoutTls) {
    HttpServer server([](const HttpAsked&) { return HttpReply{}; });
    const auto url = Url::parse("https://localhost:" + std::to_string(server.port())).value();
    auto options = hasty();
    options.retries = 0;
    const auto response = client_with(options).send({.url = url});
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("the TLS connection failed: "));
    EXPECT_THAT(response.error().hint, HasSubstr("may not speak https there: try http://"));
}

TEST_F(HttpTls, IsSuggestedWhereAServerSpeaksNothingElse) {
    // A server that answers in TLS records, as many do to what is not TLS.
    HttpServer records([](const HttpAsked&) {
        HttpReply reply;
        reply.raw = std::string("\x15\x03\x01\x00\x02\x02\x46", 7);
        reply.close = true;
        return reply;
    });
    const auto response = client_with().send({.url = at(records)});
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().kind, ErrorKind::malformed);
    EXPECT_THAT(response.error().message, HasSubstr("the answer is not valid HTTP"));
    EXPECT_THAT(response.error().hint, HasSubstr("use https://"));
}

TEST_F(HttpTls, RefusesAFileWithoutACertificate) {
    const auto file = scratch_.write("empty.pem", "nothing");
    for (const auto& options : {ClientOptions{.ca_file = file}, ClientOptions{.client_cert = file}}) {
        const auto empty = Client::open(options);
        ASSERT_FALSE(empty.ok());
        EXPECT_THAT(empty.error().message, HasSubstr("empty.pem: contains no certificate"));
    }
    const auto missing = Client::open({.ca_file = scratch_ / "missing.pem"});
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().kind, ErrorKind::unreadable);
}

TEST_F(HttpTls, ShowsTheCertificateOfTheClient) {
    const auto clients = test::make_authority("clients");
    const auto client = test::issue(clients, "DNS:me");
    auto options = hasty();
    options.client_cert = scratch_.write("me.pem", client.pem);
    options.client_key = scratch_.write("me.key", client.key);
    const auto apart = ask_mutually(options, clients.pem);
    ASSERT_TRUE(apart.ok()) << apart.error().message;
    EXPECT_EQ(apart->body, "for clients");
    options.client_key.clear();
    options.client_cert = scratch_.write("both.pem", client.pem + client.key);
    EXPECT_TRUE(ask_mutually(options, clients.pem).ok());
}

TEST_F(HttpTls, SaysThatTheServerAsksForACertificate) {
    const auto clients = test::make_authority("clients");
    const auto without = ask_mutually(hasty(), clients.pem);
    ASSERT_FALSE(without.ok());
    // Its last word may be lost: it closes the connection with the request still unread.
    EXPECT_THAT(without.error().message + without.error().hint,
                HasSubstr("the server asks for a client certificate"));
    const auto stranger = test::issue(test::make_authority("strangers"), "DNS:me");
    auto options = hasty();
    options.client_cert = scratch_.write("me.pem", stranger.pem + stranger.key);
    const auto refused = ask_mutually(options, clients.pem);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message + refused.error().hint, HasSubstr("not accept the client certificate"));
    const auto other_key = test::issue(clients, "DNS:me");
    options.client_key = scratch_.write("other.key", other_key.key);
    const auto wrong = ask_mutually(options, clients.pem);
    ASSERT_FALSE(wrong.ok());
    EXPECT_THAT(wrong.error().message, HasSubstr("the client certificate cannot be used: "));
}

}  // namespace
}  // namespace modelseal::http
