#include "oracle/model_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/services/http_client.h"

namespace modelseal::oracle {
namespace {

using test::HttpAsked;
using test::HttpReply;
using test::HttpServer;
using testing::HasSubstr;

TEST(ModelServer, SendsWhatProvesWhoIsAsking) {
    HttpServer server([](const HttpAsked&) { return HttpReply{200, "fine"}; });
    const auto model = ModelServer::open(
        test::at(server, "/v2/models/net/"),
        {.token = "abc", .headers = {{"Host", "net.models.example"}, {"X-API-Key", "seven"}}});
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ((*model)->path(), "/v2/models/net");
    EXPECT_EQ((*model)->name(), server.url("/v2/models/net"));
    ASSERT_TRUE((*model)->get("/v2").ok());
    bool too_large = false;
    ASSERT_TRUE((*model)
                    ->post({.path = "/v2/models/net/infer",
                            .body = std::string("\0\1", 2),
                            .media_type = "application/octet-stream",
                            .fields = {{"Inference-Header-Content-Length", "0"}}},
                           too_large)
                    .ok());
    for (const auto& asked : server.asked()) {
        EXPECT_EQ(asked.field("authorization"), "Bearer abc");
        EXPECT_EQ(asked.field("host"), "net.models.example");
        EXPECT_EQ(asked.field("x-api-key"), "seven");
    }
    const auto asked = server.asked().at(1);
    EXPECT_EQ(asked.method, "POST");
    EXPECT_EQ(asked.target, "/v2/models/net/infer");
    EXPECT_EQ(asked.body, std::string("\0\1", 2));
    EXPECT_EQ(asked.field("content-type"), "application/octet-stream");
    EXPECT_EQ(asked.field("inference-header-content-length"), "0");
}

TEST(ModelServer, ReturnsOtherStatusesAtOnce) {
    for (const unsigned status : {400u, 401u, 404u, 413u, 500u, 501u}) {
        HttpServer server([status](const HttpAsked&) { return HttpReply{status, "no"}; });
        EXPECT_EQ((*ModelServer::open(test::at(server), {}))->get("/").value().status, status);
        EXPECT_EQ(server.asked().size(), 1u) << status;
    }
}

TEST(ModelServer, SaysWhichAnswersWereTooLarge) {
    HttpServer server([](const HttpAsked&) { return HttpReply{200, std::string(101, 'x')}; });
    const auto model = ModelServer::open(test::at(server), {}, 100);
    bool too_large = false;
    const auto response = (*model)->post({.path = "/"}, too_large);
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().kind, ErrorKind::malformed);
    EXPECT_THAT(response.error().message, HasSubstr("the answer has more than 100 bytes"));
    EXPECT_TRUE(too_large);
}

TEST(ModelServer, AnnouncesRetries) {
    int times = 0;
    HttpServer server([&](const HttpAsked&) {
        return ++times < 2 ? HttpReply{503, "busy", {{"Retry-After", "0"}}} : HttpReply{200};
    });
    std::vector<std::string> notices;
    const auto model = ModelServer::open(test::at(server),
                                         {.notice = [&](const std::string& line) { notices.push_back(line); }});
    EXPECT_EQ((*model)->get("/").value().status, 200u);
    ASSERT_EQ(notices.size(), 1u);
    EXPECT_THAT(notices[0], HasSubstr("answers with status 503: busy; trying "));
}

// A pause that would end after the limit is not begun.
TEST(ModelServer, EndsAtTheLimitForAllRequests) {
    HttpServer server([](const HttpAsked&) { return HttpReply{503, "busy", {{"Retry-After", "30"}}}; });
    const auto model = ModelServer::open(test::at(server), {.max_seconds = 10});
    const auto response = (*model)->get("/");
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().kind, ErrorKind::unreadable);
    EXPECT_THAT(response.error().message, HasSubstr("within the limit of 10 s for all requests of a check"));
    EXPECT_EQ(response.error().remedy, Remedy::allow_more_time);
    EXPECT_EQ(server.asked().size(), 1u);
}

}  // namespace
}  // namespace modelseal::oracle
