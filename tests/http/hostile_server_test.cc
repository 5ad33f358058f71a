// What servers may do wrong, on purpose or not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "http/client.h"
#include "tests/support/services/http_client.h"

namespace modelseal::http {
namespace {

using std::chrono::milliseconds;
using test::at;
using test::client_with;
using test::hasty;
using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using testing::HasSubstr;

// A server that answers all requests alike.
HttpServer::Handler always(const HttpReply& reply) {
    return [reply](const HttpAsked&) { return reply; };
}

HttpReply raw(std::string bytes) {
    HttpReply reply;
    reply.raw = std::move(bytes);
    reply.close = true;
    return reply;
}

struct Bad {
    const char* name;
    HttpReply reply;
    ErrorKind kind;
    const char* reason;
};

class BadServer : public testing::TestWithParam<Bad> {};

TEST_P(BadServer, IsAnErrorThatStatesTheReason) {
    HttpServer server(always(GetParam().reply));
    auto options = hasty();
    options.attempt = milliseconds(GetParam().reply.delay.count() > 0 ? 50 : 5000);
    options.retries = 0;
    const auto response = client_with(options).send({.url = at(server), .max_body = 1u << 20});
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().kind, GetParam().kind) << response.error().message;
    EXPECT_THAT(response.error().message, HasSubstr(GetParam().reason));
    EXPECT_THAT(response.error().message, HasSubstr(server.url("")));
}

constexpr const char* kClosed = "the connection was closed before the answer was complete";
constexpr const char* kTooMuch = "has more than 1,048,576 bytes";
constexpr const char* kNoHttp = "the answer is not valid HTTP:";

INSTANTIATE_TEST_SUITE_P(
    Table, BadServer,
    testing::Values(
        Bad{"late", HttpReply{.body = "late", .delay = milliseconds(60'000)}, ErrorKind::unreadable,
            "no answer within 0.05 s"},
        Bad{"short", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"), ErrorKind::unreadable,
            kClosed},
        Bad{"header_cut", raw("HTTP/1.1 200 OK\r\nContent-"), ErrorKind::unreadable, kClosed},
        Bad{"status_alone", raw("HTTP/1.1 200 OK\r\n"), ErrorKind::unreadable, kClosed},
        Bad{"chunk_cut", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
            ErrorKind::unreadable, kClosed},
        Bad{"nothing", HttpReply{.body = "x", .cut = 0}, ErrorKind::unreadable, kClosed},
        Bad{"no_http", raw("SSH-2.0-OpenSSH_9.2\r\n"), ErrorKind::malformed, kNoHttp},
        Bad{"bad_chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            ErrorKind::malformed, kNoHttp},
        Bad{"bad_length", raw("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), ErrorKind::malformed, kNoHttp},
        Bad{"claims_much", raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), ErrorKind::malformed,
            kTooMuch},
        Bad{"sends_much", HttpReply{200, std::string((1u << 20) + 1, 'x')}, ErrorKind::malformed, kTooMuch},
        Bad{"sends_much_without_length", raw("HTTP/1.1 200 OK\r\n\r\n" + std::string((1u << 20) + 1, 'x')),
            ErrorKind::malformed, kTooMuch},
        Bad{"long_header", raw("HTTP/1.1 200 OK\r\nX: " + std::string(1u << 20, 'x') + "\r\n\r\n"),
            ErrorKind::malformed, "the head of the answer is too large"},
        Bad{"many_headers", raw([] {
                std::string text = "HTTP/1.1 200 OK\r\n";
                for (int i = 0; i < 1000; ++i) text += "A: b\r\n";
                return text + "\r\n";
            }()),
            ErrorKind::malformed, "the head of the answer is too large"},
        Bad{"interim_forever", raw([] {
                std::string text;
                for (int i = 0; i < 100; ++i) text += "HTTP/1.1 102 Processing\r\n\r\n";
                return text;
            }()),
            ErrorKind::malformed, "sends too many interim responses"},
        Bad{"redirect", HttpReply{302, "", {{"Location", "gopher://elsewhere.example/"}}}, ErrorKind::malformed,
            "redirects to 'gopher://elsewhere.example/'"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(HttpAnswers, ThatDoNotComeHaveAReasonToLookFor) {
    HttpServer server(always({.body = "x", .cut = 0}));
    auto options = hasty();
    options.retries = 0;
    EXPECT_THAT(client_with(options).send({.url = at(server)}).error().hint, HasSubstr("use https://"));
}

TEST(HttpAnswers, MayBeginWithInterimOnes) {
    HttpServer server(
        always(raw("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"
                   "Content-Length: 2\r\n\r\nok")));
    const auto response = client_with().send({.url = at(server)});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->body, "ok");
    EXPECT_EQ(response->field("link"), "");
}

TEST(HttpAnswers, AreNotMixedIntoTheNext) {
    int times = 0;
    HttpServer server([&](const HttpAsked&) {
        HttpReply reply{200, "second"};
        if (++times == 1) {
            reply.raw =
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
                "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
        }
        return reply;
    });
    auto client = client_with();
    EXPECT_EQ(client.send({.url = at(server)})->body, "first");
    EXPECT_EQ(client.send({.url = at(server)})->body, "second");
}

TEST(HttpAnswers, ComeBackWhenAKeptConnectionWasClosed) {
    HttpReply reply{200, "fine"};
    reply.close = true;
    HttpServer server(always(reply));
    auto options = hasty();
    options.retries = 0;
    auto client = client_with(options);
    for (int i = 0; i < 3; ++i) {
        const auto response = client.send({.method = Method::post, .url = at(server), .body = "x"});
        ASSERT_TRUE(response.ok()) << response.error().message;
    }
    EXPECT_EQ(server.asked().size(), 3u);
}

TEST(HttpAnswers, ThatAreTooLongCanBeCutOff) {
    HttpServer server([](const HttpAsked& asked) {
        HttpReply reply{200, std::string(100'000, 'x')};
        reply.chunked = asked.target == "/chunked";
        return reply;
    });
    auto client = client_with();
    for (const char* path : {"/stated", "/chunked"}) {
        const Request request{.url = at(server, path), .max_body = 99'999, .overlong = Overlong::cut_off};
        const auto response = client.send(request);
        ASSERT_TRUE(response.ok()) << response.error().message;
        EXPECT_TRUE(response->over_cap);
        EXPECT_LE(response->body.size(), 99'999u);
        EXPECT_FALSE(client.send({.url = at(server, path), .overlong = Overlong::cut_off})->over_cap);
    }
}

std::string gzipped(const std::string& text) {
    z_stream stream{};
    EXPECT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(text.size() + 100, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}

ClientOptions unpacking() {
    auto options = hasty();
    options.packed = Packed::unpacked;
    return options;
}

TEST(PackedAnswers, AreUnpackedOrKept) {
    HttpServer server(always({200, gzipped("the body"), {{"Content-Encoding", "gzip"}}}));
    EXPECT_EQ(client_with(unpacking()).send({.url = at(server)})->body, "the body");
    EXPECT_EQ(server.asked().at(0).field("accept-encoding"), "gzip, deflate");
    EXPECT_EQ(client_with().send({.url = at(server)})->body, gzipped("the body"));
    EXPECT_EQ(server.asked().at(1).field("accept-encoding"), "");
}

TEST(PackedAnswers, AreCappedByWhatComesOut) {
    HttpServer server(always({200, gzipped(std::string(50u << 20, '\0')), {{"Content-Encoding", "gzip"}}}));
    const auto bomb = client_with(unpacking()).send({.url = at(server), .max_body = 1u << 20});
    ASSERT_FALSE(bomb.ok());
    EXPECT_THAT(bomb.error().message, HasSubstr(kTooMuch));
}

TEST(PackedAnswers, ThatAreBrokenAreErrors) {
    auto changed = gzipped(std::string(10'000, 'x'));
    auto& of_checksum = changed[changed.size() - 5];
    of_checksum = static_cast<char>(of_checksum ^ 1);
    for (const auto& body : {std::string("no gzip at all"), changed}) {
        HttpServer server(always({200, body, {{"Content-Encoding", "gzip"}}}));
        const auto response = client_with(unpacking()).send({.url = at(server)});
        ASSERT_FALSE(response.ok());
        EXPECT_EQ(response.error().kind, ErrorKind::malformed);
    }
}

}  // namespace
}  // namespace modelseal::http
