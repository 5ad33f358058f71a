// Which redirects and retries there are, and when all of them come to an end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using Clock = std::chrono::steady_clock;

ClientOptions staying() {
    auto options = hasty();
    options.redirected = Redirects::same_host;
    return options;
}

TEST(RedirectsOnAHost, TakeTheBodyButNoSecretsToAnotherPort) {
    HttpServer other([](const HttpAsked& asked) { return HttpReply{200, asked.body}; });
    HttpServer server([&](const HttpAsked& asked) {
        if (asked.target == "/end") return HttpReply{200, asked.body};
        return HttpReply{308, "", {{"Location", asked.target == "/away" ? other.url("/") : "/end"}}};
    });
    auto client = client_with(staying());
    Request request{.method = Method::post,
                    .url = at(server),
                    .authorization = "Bearer abc",
                    .own = {{"X-API-Key", "7"}, {"Host", "net.example"}},
                    .body = "inputs"};
    EXPECT_EQ(client.send(request).value().body, "inputs");
    EXPECT_EQ(server.asked().back().field("authorization"), "Bearer abc");
    EXPECT_EQ(server.asked().back().field("x-api-key"), "7");
    EXPECT_EQ(server.asked().back().field("host"), "net.example");
    request.url = at(server, "/away");
    EXPECT_EQ(client.send(request).value().body, "inputs");
    const auto asked = other.asked().at(0);
    EXPECT_EQ(asked.field("authorization"), "");
    EXPECT_EQ(asked.field("x-api-key"), "");
    EXPECT_EQ(asked.field("host"), "127.0.0.1:" + std::to_string(other.port()));
}

TEST(RedirectsOnAHost, DoNotLeaveItAndDoNotLoseTheBody) {
    HttpServer other([](const HttpAsked&) { return HttpReply{200}; });
    unsigned status = 307;
    HttpServer server([&](const HttpAsked&) {
        return HttpReply{status, "", {{"Location", other.url("/v2/models/net", "localhost")}}};
    });
    auto client = client_with(staying());
    for (const auto method : {Method::get, Method::post}) {
        const auto away = client.send({.method = method, .url = at(server), .body = "inputs"});
        ASSERT_FALSE(away.ok());
        EXPECT_THAT(away.error().message,
                    HasSubstr("redirects to '" + other.url("/v2/models/net", "localhost") +
                              "', another server, which is not followed"));
        EXPECT_THAT(away.error().hint, HasSubstr("give that address"));
    }
    status = 303;
    const auto lost = client.send({.method = Method::post, .url = at(server), .body = "inputs"});
    ASSERT_FALSE(lost.ok());
    EXPECT_THAT(lost.error().message, HasSubstr("for reading alone"));
    EXPECT_EQ(other.connections(), 0u);
}

TEST(FieldsOfOnesOwn, StayWithTheirOrigin) {
    HttpServer storage([](const HttpAsked&) { return HttpReply{200}; });
    HttpServer server([&](const HttpAsked&) { return HttpReply{307, "", {{"Location", storage.url("/")}}}; });
    ASSERT_TRUE(
        client_with().send({.url = at(server), .fields = {{"X-All", "1"}}, .own = {{"X-API-Key", "7"}}}).ok());
    EXPECT_EQ(server.asked().at(0).field("x-api-key"), "7");
    EXPECT_EQ(storage.asked().at(0).field("x-api-key"), "");
    EXPECT_EQ(storage.asked().at(0).field("x-all"), "1");
}

TEST(StatusesThatMayPass, AreThoseThatWereChosen) {
    HttpServer server([](const HttpAsked&) { return HttpReply{500, "no"}; });
    auto options = hasty();
    options.passing = {503};
    EXPECT_EQ(client_with(options).send({.url = at(server)}).value().status, 500u);
    EXPECT_EQ(server.asked().size(), 1u);
}

TEST(Attempts, ThatTakeTooLongAreNotRepeated) {
    HttpServer server(
        [](const HttpAsked&) { return HttpReply{.body = "late", .delay = milliseconds(60'000)}; });
    auto options = hasty();
    options.attempt = milliseconds(50);
    const auto response = client_with(options).send({.url = at(server)});
    ASSERT_FALSE(response.ok());
    EXPECT_THAT(response.error().hint, HasSubstr("more time for each request"));
    EXPECT_EQ(server.asked().size(), 1u);
}

TEST(RefusedConnections, AreReportedAndRepeatedAloud) {
    unsigned port = 0;
    {
        HttpServer gone([](const HttpAsked&) { return HttpReply{}; });
        port = gone.port();
    }
    std::vector<std::string> notices;
    auto options = hasty();
    options.notice = [&](const std::string& line) { notices.push_back(line); };
    const auto url = Url::parse("http://127.0.0.1:" + std::to_string(port)).value();
    const auto response = client_with(options).send({.url = url});
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(response.error().message, HasSubstr("cannot connect: Connection refused"));
    ASSERT_EQ(notices.size(), 2u);
    EXPECT_THAT(notices[1], testing::ContainsRegex(
                                "cannot connect: Connection refused; trying http://127.0.0.1:[0-9]+ again in"));
}

struct Slow {
    const char* name;
    HttpReply reply;
};

class SlowServer : public testing::TestWithParam<Slow> {};

// However the server spends the time: the limit for all requests ends each of them, and each pause.
TEST_P(SlowServer, EndsAtTheLimitForAllRequests) {
    HttpServer server([](const HttpAsked&) { return GetParam().reply; });
    auto options = hasty();
    options.retries = 100;
    options.stall = std::chrono::seconds(30);
    const auto begun = Clock::now();
    const auto until = begun + milliseconds(300);
    auto client = client_with(options);
    for (;;) {
        const auto response = client.send({.url = at(server), .until = until});
        if (response.ok()) continue;
        EXPECT_EQ(response.error().kind, ErrorKind::unreadable);
        EXPECT_EQ(response.error().remedy, Remedy::allow_more_time);
        break;
    }
    EXPECT_LT(Clock::now() - begun, milliseconds(3000));
}

INSTANTIATE_TEST_SUITE_P(
    Each, SlowServer,
    testing::Values(Slow{"Silent", {.delay = milliseconds(60'000)}},
                    Slow{"Sluggish", {.delay = milliseconds(50)}}, Slow{"Busy", {.status = 503}},
                    Slow{"BusyForLong", {.status = 503, .fields = {{"Retry-After", "30"}}}},
                    Slow{"Dropping", {.body = "half", .cut = 20}}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace modelseal::http
