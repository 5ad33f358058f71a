#include "oracle/http/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/services/http_server.h"

namespace modelseal::oracle {
namespace {

using std::chrono::milliseconds;
using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using testing::HasSubstr;

HttpOptions quick() {
    HttpOptions options;
    options.timeout = milliseconds(5000);
    options.retries = 2;
    options.backoff = milliseconds(2);
    return options;
}

std::unique_ptr<HttpClient> client_of(const HttpServer& server, const HttpOptions& options = quick(),
                                      const std::string& host = "127.0.0.1") {
    auto client = HttpClient::open(*parse_url(server.url("", host)), options);
    EXPECT_TRUE(client.ok());
    return std::move(*client);
}

// A server that answers all requests alike.
HttpServer::Handler always(const HttpReply& reply) {
    return [reply](const HttpAsked&) { return reply; };
}

TEST(Http, SendsTheGivenRequest) {
    HttpServer server(always({200, "fine", {{"X-Kind", "good"}}}));
    const auto client = client_of(server);
    const auto response = client->send({"/a%20b", true, std::string("\0\1\2", 3), {{"X-Mine", "7"}}});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->status, 200u);
    EXPECT_EQ(response->body, "fine");
    EXPECT_EQ(response->field("x-kind"), "good");
    const auto asked = server.asked().at(0);
    EXPECT_EQ(asked.method, "POST");
    EXPECT_EQ(asked.target, "/a%20b");
    EXPECT_EQ(asked.body, std::string("\0\1\2", 3));
    EXPECT_EQ(asked.field("x-mine"), "7");
    EXPECT_EQ(asked.field("host"), "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_EQ(asked.field("authorization"), "");
}

TEST(Http, KeepsTheConnection) {
    HttpServer server(always({200, "fine"}));
    const auto client = client_of(server);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client->send({"/"}).ok());
    EXPECT_EQ(server.connections(), 1u);
}

TEST(Http, ComesBackWhenAKeptConnectionWasClosed) {
    HttpReply reply{200, "fine"};
    reply.close = true;
    HttpServer server(always(reply));
    auto options = quick();
    options.retries = 0;
    const auto client = client_of(server, options);
    for (int i = 0; i < 3; ++i) {
        const auto response = client->send({"/"});
        ASSERT_TRUE(response.ok()) << response.error().message;
    }
    EXPECT_EQ(server.asked().size(), 3u);
}

TEST(Http, AcceptsChunkedResponses) {
    HttpReply reply{200, "a body that comes in several parts"};
    reply.chunked = true;
    HttpServer server(always(reply));
    const auto response = client_of(server)->send({"/"});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->body, reply.body);
}

TEST(Http, SkipsInterimResponses) {
    HttpReply reply;
    reply.raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    HttpServer server(always(reply));
    const auto response = client_of(server)->send({"/"});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->body, "ok");
}

TEST(Http, ReturnsOtherStatusesAtOnce) {
    for (const unsigned status : {400u, 401u, 404u, 413u, 500u, 501u}) {
        HttpServer server(always({status, "no"}));
        const auto response = client_of(server)->send({"/"});
        ASSERT_TRUE(response.ok());
        EXPECT_EQ(response->status, status);
        EXPECT_EQ(server.asked().size(), 1u) << status;
    }
}

TEST(Http, RetriesWhatMaySucceedLater) {
    for (const unsigned status : {429u, 502u, 503u, 504u}) {
        int times = 0;
        HttpServer server([&](const HttpAsked&) {
            return ++times < 3 ? HttpReply{status, "busy"} : HttpReply{200};
        });
        const auto response = client_of(server)->send({"/"});
        ASSERT_TRUE(response.ok());
        EXPECT_EQ(response->status, 200u) << status;
    }
}

TEST(Http, ReturnsTheLastResponseAfterAllRetries) {
    HttpServer server(always({503, "busy"}));
    const auto response = client_of(server)->send({"/"});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response->status, 503u);
    EXPECT_EQ(server.asked().size(), 3u);  // one and two retries
}

TEST(Http, WaitsNoLongerThanTheServerAsks) {
    auto options = quick();
    options.backoff = milliseconds(3'600'000);  // the test would not end
    int times = 0;
    HttpServer server([&](const HttpAsked&) {
        return ++times < 2 ? HttpReply{503, "busy", {{"Retry-After", "0"}}} : HttpReply{200};
    });
    const auto response = client_of(server, options)->send({"/"});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response->status, 200u);
}

TEST(Http, RetriesWhenTheConnectionBreaks) {
    int times = 0;
    HttpServer server([&](const HttpAsked&) {
        HttpReply reply{200, "the whole answer"};
        if (++times < 3) reply.cut = times == 1 ? 0 : 45;
        return reply;
    });
    const auto response = client_of(server)->send({"/"});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->body, "the whole answer");
    EXPECT_EQ(times, 3);
}

TEST(Http, SendsATokenToThisMachine) {
    HttpServer server(always({200}));
    auto options = quick();
    options.token = "abc.DEF-123_~+/==";
    ASSERT_TRUE(client_of(server, options)->send({"/"}).ok());
    EXPECT_EQ(server.asked().at(0).field("authorization"), "Bearer abc.DEF-123_~+/==");
}

TEST(Http, SendsNoTokenOverAnOpenNetwork) {
    HttpOptions options;
    options.token = "abc";
    const auto client = HttpClient::open(*parse_url("http://models.example/"), options);
    ASSERT_FALSE(client.ok());
    EXPECT_EQ(client.error().kind, ErrorKind::usage);
    EXPECT_THAT(client.error().message, HasSubstr(": the token would be sent unencrypted"));
    EXPECT_TRUE(HttpClient::open(*parse_url("https://models.example/"), options).ok());
}

TEST(Http, RefusesATokenThatWouldBreakTheRequest) {
    for (const auto* token : {"a b", "a\r\nX-Evil: 1", "a\n", "\xC3\xA4"}) {
        HttpOptions options;
        options.token = token;
        const auto client = HttpClient::open(*parse_url("https://h/"), options);
        ASSERT_FALSE(client.ok()) << token;
        EXPECT_EQ(client.error().kind, ErrorKind::usage);
    }
}

struct Slow {
    const char* name;
    HttpReply reply;
};

class SlowServer : public testing::TestWithParam<Slow> {};

// However the server spends the time: the limit for all requests ends each of them, and each pause.
TEST_P(SlowServer, EndsAtTheLimitForAllRequests) {
    HttpServer server(always(GetParam().reply));
    auto options = quick();
    options.retries = 100;
    options.deadline = Deadline(milliseconds(300));
    const auto begun = std::chrono::steady_clock::now();
    const auto client = client_of(server, options);
    for (;;) {
        const auto response = client->send({"/"});
        if (response.ok()) continue;
        EXPECT_EQ(response.error().kind, ErrorKind::unreadable);
        EXPECT_THAT(response.error().message,
                    HasSubstr("within the limit of 0.3 s for all requests of a check"));
        EXPECT_THAT(response.error().hint, HasSubstr("raise the limit"));
        break;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(3000));
}

INSTANTIATE_TEST_SUITE_P(
    Each, SlowServer,
    testing::Values(Slow{"Silent", {.delay = milliseconds(60'000)}},
                    Slow{"Sluggish", {.delay = milliseconds(50)}}, Slow{"Busy", {.status = 503}},
                    Slow{"BusyForLong", {.status = 503, .fields = {{"Retry-After", "30"}}}},
                    Slow{"Dropping", {.body = "half", .cut = 20}}),
    [](const auto& one) { return one.param.name; });

TEST(Http, ReportsARefusedConnection) {
    unsigned port = 0;
    {
        HttpServer gone(always({200}));
        port = gone.port();
    }
    const auto client = HttpClient::open(*parse_url("http://127.0.0.1:" + std::to_string(port)), quick());
    const auto response = (*client)->send({"/"});
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(response.error().message, HasSubstr("cannot connect: Connection refused"));
}

struct Bad {
    const char* name;
    HttpReply reply;
    ErrorKind kind;
    const char* reason;
};

HttpReply raw(std::string bytes) {
    HttpReply reply;
    reply.raw = std::move(bytes);
    reply.close = true;
    return reply;
}

HttpReply late() {
    HttpReply reply{200, "late"};
    reply.delay = milliseconds(60'000);
    return reply;
}

class BadServer : public testing::TestWithParam<Bad> {};

TEST_P(BadServer, IsAnErrorThatStatesTheReason) {
    HttpServer server(always(GetParam().reply));
    auto options = quick();
    options.timeout = milliseconds(GetParam().reply.delay.count() > 0 ? 50 : 5000);
    options.retries = 0;
    options.max_body = 1u << 20;
    const auto response = client_of(server, options)->send({"/"});
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().kind, GetParam().kind);
    EXPECT_THAT(response.error().message, HasSubstr(GetParam().reason));
    EXPECT_THAT(response.error().message, HasSubstr(server.url("")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadServer,
    testing::Values(
        Bad{"late", late(), ErrorKind::unreadable, "waiting for the answer: no answer within 0.05 s"},
        Bad{"short", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"), ErrorKind::unreadable,
            "the connection was closed before the answer was complete"},
        Bad{"header_cut", raw("HTTP/1.1 200 OK\r\nContent-"), ErrorKind::unreadable,
            "the connection was closed before the answer was complete"},
        Bad{"chunk_cut", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
            ErrorKind::unreadable, "the connection was closed before the answer was complete"},
        Bad{"no_http", raw("SSH-2.0-OpenSSH_9.2\r\n"), ErrorKind::malformed, "the answer is not valid HTTP:"},
        Bad{"bad_chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            ErrorKind::malformed, "the answer is not valid HTTP:"},
        Bad{"bad_length", raw("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), ErrorKind::malformed,
            "the answer is not valid HTTP:"},
        Bad{"claims_much", raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), ErrorKind::malformed,
            "larger than 1 MiB"},
        Bad{"sends_much", HttpReply{200, std::string((1u << 20) + 1, 'x')}, ErrorKind::malformed,
            "larger than 1 MiB"},
        Bad{"sends_much_without_length", raw("HTTP/1.1 200 OK\r\n\r\n" + std::string((1u << 20) + 1, 'x')),
            ErrorKind::malformed, "larger than 1 MiB"},
        Bad{"long_header", raw("HTTP/1.1 200 OK\r\nX: " + std::string(1u << 18, 'x') + "\r\n\r\n"),
            ErrorKind::malformed, "larger than"},
        Bad{"interim_forever", raw([] {
                std::string text;
                for (int i = 0; i < 100; ++i) text += "HTTP/1.1 102 Processing\r\n\r\n";
                return text;
            }()),
            ErrorKind::malformed, "sends too many interim responses"},
        Bad{"redirect", HttpReply{302, "", {{"Location", "https://elsewhere.example/"}}}, ErrorKind::unreadable,
            "redirects to 'https://elsewhere.example/'"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Http, DoesNotMixAResponseIntoTheNext) {
    int times = 0;
    HttpServer server([&](const HttpAsked&) {
        HttpReply reply{200, "second"};
        if (++times == 1) {
            reply.raw =
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: "
                "4\r\n\r\nevil";
        }
        return reply;
    });
    const auto client = client_of(server);
    EXPECT_EQ(client->send({"/"})->body, "first");
    EXPECT_EQ(client->send({"/"})->body, "second");
}

TEST(Http, DoesNotRetryWhenTimeIsUp) {
    HttpServer server(always(late()));
    auto options = quick();
    options.timeout = milliseconds(50);
    ASSERT_FALSE(client_of(server, options)->send({"/"}).ok());
    EXPECT_EQ(server.asked().size(), 1u);
}

}  // namespace
}  // namespace modelseal::oracle
