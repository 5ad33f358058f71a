#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oracle/http/http.h"
#include "tests/support/pki/certificates.h"
#include "tests/support/scratch.h"
#include "tests/support/services/http_server.h"

namespace modelseal::oracle {
namespace {

using test::Certificate;
using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using testing::HasSubstr;

class Https : public testing::Test {
  protected:
    const Certificate authority_ = test::make_authority("an authority");
    const test::Scratch scratch_;

    // The result of one request to a server with a certificate for `names`.
    Result<HttpResponse> ask(const std::string& names, const std::string& host, int days = 1,
                             const std::string& trusted = {}) {
        const auto certificate = test::issue(authority_, names, days);
        const test::TlsFiles files{certificate.pem, certificate.key};
        HttpServer server(
            [](const HttpAsked& asked) {
                return HttpReply{200, asked.field("authorization")};
            },
            &files);
        HttpOptions options;
        options.token = "abc";
        options.ca_file = scratch_.write("ca.pem", trusted.empty() ? authority_.pem : trusted);
        MODELSEAL_TRY_ASSIGN(const auto client, HttpClient::open(*parse_url(server.url("", host)), options));
        return client->send({"/"});
    }
};

TEST_F(Https, TrustsAnAuthorityThatItIsGiven) {
    const auto response = ask("DNS:localhost", "localhost");
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->body, "Bearer abc");
}

TEST_F(Https, KnowsServersByTheirAddressToo) {
    const auto response = ask("IP:127.0.0.1", "127.0.0.1");
    EXPECT_TRUE(response.ok()) << response.error().message;
}

TEST_F(Https, TrustsEachCertificateOfTheFile) {
    const auto other = test::make_authority("another");
    EXPECT_TRUE(ask("DNS:localhost", "localhost", 1, other.pem + authority_.pem).ok());
}

TEST_F(Https, RefusesACertificateForAnotherName) {
    for (const auto* names :
         {"DNS:example.org", "DNS:*.localhost", "IP:127.0.0.1", "DNS:localhost.example.org"}) {
        const auto response = ask(names, "localhost");
        ASSERT_FALSE(response.ok()) << names;
        EXPECT_EQ(response.error().kind, ErrorKind::unreadable);
        EXPECT_THAT(response.error().message, HasSubstr("its certificate is not accepted: hostname mismatch"));
    }
    const auto response = ask("DNS:localhost", "127.0.0.1");
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("its certificate is not accepted: IP address mismatch"));
}

// RFC 9525: a name in the subject is not a name of the server, whoever signed it.
TEST_F(Https, RefusesACertificateWithoutNamesOfItsServer) {
    for (const auto* host : {"localhost", "127.0.0.1"}) {
        const auto response = ask("", host);
        ASSERT_FALSE(response.ok()) << host;
        EXPECT_THAT(response.error().message, HasSubstr("its certificate is not accepted:"));
    }
}

TEST_F(Https, RefusesUnknownAuthorities) {
    const auto response = ask("DNS:localhost", "localhost", 1, test::make_authority("an authority").pem);
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("its certificate is not accepted:"));
}

TEST_F(Https, RefusesAnExpiredCertificate) {
    const auto response = ask("DNS:localhost", "localhost", -1);
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message,
                HasSubstr("its certificate is not accepted: certificate has expired"));
}

TEST_F(Https, TrustsTheSystemAloneIfItIsGivenNoAuthority) {
    const auto certificate = test::issue(authority_, "DNS:localhost");
    const test::TlsFiles files{certificate.pem, certificate.key};
    HttpServer server([](const HttpAsked&) { return HttpReply{}; }, &files);
    const auto client = HttpClient::open(*parse_url(server.url("", "localhost")), {});
    ASSERT_TRUE(client.ok());
    const auto response = (*client)->send({"/"});
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("its certificate is not accepted:"));
    EXPECT_THAT(response.error().hint, HasSubstr("authority of its own"));
    EXPECT_TRUE(server.asked().empty());
}

TEST_F(Https, ReportsAServerWithoutTls) {
    HttpServer server([](const HttpAsked&) { return HttpReply{}; });
    HttpOptions options;
    options.retries = 0;
    const auto client =
        HttpClient::open(*parse_url("https://localhost:" + std::to_string(server.port())), options);
    const auto response = (*client)->send({"/"});
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().message, HasSubstr("the TLS connection failed"));
}

TEST_F(Https, RefusesAFileWithoutACertificate) {
    HttpOptions options;
    options.ca_file = scratch_.write("empty.pem", "nothing");
    const auto empty = HttpClient::open(*parse_url("https://localhost"), options);
    ASSERT_FALSE(empty.ok());
    EXPECT_THAT(empty.error().message, HasSubstr(": contains no certificate that can be trusted"));
    options.ca_file = scratch_ / "missing.pem";
    const auto missing = HttpClient::open(*parse_url("https://localhost"), options);
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().kind, ErrorKind::unreadable);
}

}  // namespace
}  // namespace modelseal::oracle
