#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scratch.h"
#include "tests/support/services/http_client.h"

namespace modelseal::http {
namespace {

using test::at;
using test::client_with;
using test::hasty;
using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using testing::ElementsAre;
using testing::HasSubstr;

// Collects a body.
struct Collected {
    std::string bytes;
    Sink sink() {
        return [this](std::span<const std::byte> part) -> Result<void> {
            bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
            return {};
        };
    }
};

HttpReply redirect_to(const std::string& where, unsigned status = 307) {
    return {status, "", {{"Location", where}}};
}

TEST(HttpRequests, AreSentAsTheyAreMade) {
    HttpServer server([](const HttpAsked&) { return HttpReply{201, "made", {{"X-Kind", "good"}}}; });
    const auto response = client_with().send({.method = Method::put,
                                              .url = at(server, "/v2/a%20b?x=1"),
                                              .fields = {{"X-Mine", "7"}},
                                              .authorization = "Bearer abc",
                                              .body = std::string("\0\1\2", 3),
                                              .media_type = "application/x-it"});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->status, 201u);
    EXPECT_EQ(response->body, "made");
    EXPECT_EQ(response->field("x-kind"), "good");
    const auto asked = server.asked().at(0);
    EXPECT_EQ(asked.method, "PUT");
    EXPECT_EQ(asked.target, "/v2/a%20b?x=1");
    EXPECT_EQ(asked.body, std::string("\0\1\2", 3));
    EXPECT_EQ(asked.field("x-mine"), "7");
    EXPECT_EQ(asked.field("content-type"), "application/x-it");
    EXPECT_EQ(asked.field("authorization"), "Bearer abc");
    EXPECT_EQ(asked.field("expect"), "");
}

TEST(HttpRequests, OfAllMethodsShareAConnection) {
    HttpServer server([](const HttpAsked& asked) { return HttpReply{200, asked.method == "HEAD" ? "" : "x"}; });
    auto client = client_with();
    for (const auto method : {Method::get, Method::head, Method::post, Method::del, Method::put})
        ASSERT_TRUE(client.send({.method = method, .url = at(server)}).ok());
    std::vector<std::string> methods;
    for (const auto& asked : server.asked()) methods.push_back(asked.method);
    EXPECT_THAT(methods, ElementsAre("GET", "HEAD", "POST", "DELETE", "PUT"));
    EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpRequests, CannotBeGivenAnotherHeaderByAValue) {
    HttpServer server([](const HttpAsked&) { return HttpReply{200}; });
    const auto refused = client_with().send({.url = at(server), .authorization = "Bearer a\r\nX-Evil: 1"});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(server.asked().size(), 0u);
}

TEST(HttpRedirects, KeepTheAuthorizationWithItsOrigin) {
    HttpServer storage([](const HttpAsked&) { return HttpReply{200, "bytes"}; });
    HttpServer server([&](const HttpAsked& asked) {
        return asked.target == "/there" ? HttpReply{200, "here"}
               : asked.target == "/own" ? redirect_to("/there", 302)
                                        : redirect_to(storage.url("/blob?signature=s"));
    });
    auto client = client_with();
    const auto elsewhere = client.send({.url = at(server), .authorization = "Bearer abc"});
    ASSERT_TRUE(elsewhere.ok()) << elsewhere.error().message;
    EXPECT_EQ(elsewhere->body, "bytes");
    EXPECT_EQ(elsewhere->url.origin(), at(storage).origin());
    EXPECT_EQ(storage.asked().at(0).field("authorization"), "");
    const auto own = client.send({.url = at(server, "/own"), .authorization = "Bearer abc"});
    ASSERT_TRUE(own.ok());
    EXPECT_EQ(own->body, "here");
    EXPECT_EQ(server.asked().back().field("authorization"), "Bearer abc");
}

TEST(HttpRedirects, OnceAwayDoNotGetItOnTheWayBack) {
    std::string back;
    HttpServer storage([&](const HttpAsked&) { return redirect_to(back); });
    HttpServer server([&](const HttpAsked& asked) {
        return asked.target == "/back" ? HttpReply{200} : redirect_to(storage.url("/"));
    });
    back = server.url("/back");
    ASSERT_TRUE(client_with().send({.url = at(server), .authorization = "Bearer abc"}).ok());
    EXPECT_EQ(server.asked().back().target, "/back");
    EXPECT_EQ(server.asked().back().field("authorization"), "");
}

TEST(HttpRedirects, AreLimitedAndForReadingAlone) {
    HttpServer server([](const HttpAsked&) { return redirect_to("/again"); });
    auto client = client_with();
    const auto round = client.send({.url = at(server)});
    ASSERT_FALSE(round.ok());
    EXPECT_THAT(round.error().message, HasSubstr("too many redirects"));
    EXPECT_EQ(server.asked().size(), 6u);
    const auto put = client.send({.method = Method::put, .url = at(server), .body = "x"});
    ASSERT_FALSE(put.ok());
    EXPECT_THAT(put.error().message, HasSubstr("for reading alone"));
    for (const char* where :
         {"file:///etc/passwd", "ftp://127.0.0.1/", "http://user:pass@127.0.0.1/", "", "\x01"}) {
        HttpServer other([where](const HttpAsked&) { return redirect_to(where); });
        EXPECT_FALSE(client.send({.url = at(other)}).ok()) << where;
    }
}

TEST(HttpLogins, AreThoseOfTheirHost) {
    const test::Scratch folder;
    HttpServer storage([](const HttpAsked&) { return HttpReply{200}; });
    HttpServer server([&](const HttpAsked& asked) {
        return asked.target == "/away" ? redirect_to(storage.url("/", "localhost")) : HttpReply{200};
    });
    auto options = hasty();
    options.netrc = folder.write("netrc",
                                 "machine 127.0.0.1 login me password default\n"
                                 "machine localhost login other password there\n");
    auto client = client_with(options);
    ASSERT_TRUE(client.send({.url = at(server)}).ok());
    EXPECT_EQ(server.asked().back().field("authorization"), "Basic bWU6ZGVmYXVsdA==");
    // A token comes before a login.
    ASSERT_TRUE(client.send({.url = at(server), .authorization = "Bearer t"}).ok());
    EXPECT_EQ(server.asked().back().field("authorization"), "Bearer t");
    ASSERT_TRUE(client.send({.url = at(server, "/away")}).ok());
    EXPECT_EQ(storage.asked().at(0).field("authorization"), "");
    // An entry for any host would go to any host.
    options.netrc = folder.write("netrc", "machine a login b password c\ndefault login d password e\n");
    const auto refused = Client::open(options);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
}

TEST(HttpBodies, HaveACap) {
    HttpServer server([](const HttpAsked& asked) {
        HttpReply reply{200, std::string(100'000, 'x')};
        reply.chunked = asked.target == "/chunked";
        return reply;
    });
    auto client = client_with();
    for (const char* path : {"/stated", "/chunked"}) {
        const auto over = client.send({.url = at(server, path), .max_body = 99'999});
        ASSERT_FALSE(over.ok()) << path;
        EXPECT_THAT(over.error().message, HasSubstr("more than 99,999 bytes"));
        EXPECT_EQ(client.send({.url = at(server, path), .max_body = 100'000}).value().body.size(), 100'000u);
        Collected collected;
        const auto streamed = client.fetch({.url = at(server, path), .max_body = 99'999}, collected.sink());
        EXPECT_FALSE(streamed.ok()) << path;
        EXPECT_LE(collected.bytes.size(), 99'999u);
    }
}

TEST(HttpBodies, ThatAreCutOffGoOnWhereTheyEnded) {
    const std::string body = "the first part, the second part, and the third";
    for (const bool ranges : {true, false}) {
        HttpServer server([&](const HttpAsked& asked) {
            const auto range = asked.field("range");
            HttpReply reply{200, body, {{"ETag", "\"v1\""}}};
            if (ranges && !range.empty()) {
                const auto from = std::stoul(range.substr(6));
                reply = {
                    206, body.substr(from), {{"Content-Range", "bytes " + std::to_string(from) + "-45/46"}}};
            }
            static int times = 0;
            if (++times % 3 != 0) reply.cut = (reply.status == 200 ? 50 : 80) + 10u;
            return reply;
        });
        Collected collected;
        const auto done = client_with().fetch({.url = at(server)}, collected.sink());
        ASSERT_TRUE(done.ok()) << done.error().message;
        EXPECT_EQ(done->status, 200u);
        EXPECT_EQ(collected.bytes, body) << ranges;
        EXPECT_THAT(server.asked().at(1).field("range"), testing::StartsWith("bytes="));
        EXPECT_EQ(server.asked().at(1).field("if-range"), "\"v1\"");
    }
}

TEST(HttpBodies, OfAnotherPartAreRefused) {
    HttpServer server([](const HttpAsked& asked) {
        if (asked.field("range").empty()) {
            HttpReply cut{200, "0123456789"};
            cut.cut = 45;
            return cut;
        }
        return HttpReply{206, "0123", {{"Content-Range", "bytes 0-3/10"}}};
    });
    Collected collected;
    const auto done = client_with().fetch({.url = at(server)}, collected.sink());
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message, HasSubstr("another part than was asked for"));
}

TEST(HttpBodies, OfErrorsDoNotReachTheSink) {
    HttpServer server([](const HttpAsked&) { return HttpReply{404, std::string(1 << 20, 'e')}; });
    Collected collected;
    const auto done = client_with().fetch({.url = at(server)}, collected.sink());
    ASSERT_TRUE(done.ok());
    EXPECT_EQ(done->status, 404u);
    EXPECT_EQ(collected.bytes, "");
    EXPECT_LE(done->body.size(), 64u << 10);
}

TEST(HttpRetries, AreOfWhatMaySucceedLater) {
    for (const unsigned status : {429u, 500u, 502u, 503u, 504u}) {
        int times = 0;
        std::vector<std::string> notices;
        HttpServer server([&](const HttpAsked&) {
            return ++times < 3 ? HttpReply{status, "busy"} : HttpReply{200};
        });
        auto options = hasty();
        options.notice = [&](const std::string& line) { notices.push_back(line); };
        EXPECT_EQ(client_with(options).send({.url = at(server)}).value().status, 200u);
        ASSERT_EQ(notices.size(), 2u);
        EXPECT_THAT(notices[0], HasSubstr("answers with status " + std::to_string(status) + ": busy"));
    }
    HttpServer broken([](const HttpAsked&) { return HttpReply{400, "no"}; });
    EXPECT_EQ(client_with().send({.url = at(broken)}).value().status, 400u);
    EXPECT_EQ(broken.asked().size(), 1u);
}

TEST(HttpRetries, EndWithTheTimeOfTheRequest) {
    HttpServer server([](const HttpAsked&) { return HttpReply{503, "busy", {{"Retry-After", "30"}}}; });
    const auto done = client_with().send({.url = at(server)});
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message, HasSubstr("the time for this request is over"));
}

TEST(HttpRetries, EndWhenTheServerStandsStill) {
    HttpServer server([](const HttpAsked&) {
        HttpReply reply{200, "late"};
        reply.delay = std::chrono::minutes(10);
        return reply;
    });
    auto options = hasty();
    options.retries = 0;
    const auto done = client_with(options).send({.url = at(server)});
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message, HasSubstr("no answer in time"));
}

TEST(HttpRetries, EndWhenTheyAreToldTo) {
    std::atomic<bool> stop{true};
    HttpServer server([](const HttpAsked&) { return HttpReply{200}; });
    auto options = hasty();
    options.stop = &stop;
    const auto done = client_with(options).send({.url = at(server)});
    EXPECT_FALSE(done.ok());
}

}  // namespace
}  // namespace modelseal::http
