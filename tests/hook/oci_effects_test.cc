// What is done about a decision where the registry refuses it.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hook/oci/effects.h"
#include "hook/oci/names.h"
#include "tests/support/scratch.h"
#include "tests/support/services/http_server.h"

namespace modelseal::hook {
namespace {

using test::HttpAsked;
using test::HttpReply;
using testing::HasSubstr;

// A registry that takes nothing into the quarantine.
class FullQuarantine : public testing::Test {
  protected:
    FullQuarantine() : job{.id = 1, .repository = "acme/net", .digest = digest_of(manifest), .tag = "v1"} {}

    Result<std::string> act(unsigned refusal, bool last_attempt) {
        server = std::make_unique<test::HttpServer>([this, refusal](const HttpAsked& asked) {
            if (asked.target.find("/quarantine/") != std::string::npos) return HttpReply{refusal};
            if (asked.method == "DELETE") return HttpReply{202};
            return HttpReply{200, manifest, {{"Content-Type", std::string(kOciManifest)}}};
        });
        auto registry = Registry::open(http::Url::parse(server->url("")).value(), client).value();
        const auto queue = JobQueue::open(scratch / "queue.db", 10).value();
        const Decision decision{
            .outcome = Ruling::Outcome::deny, .reason = "unsealed", .media_type = std::string(kOciManifest)};
        return act_upon(registry, *queue, job, decision, {.last_attempt = last_attempt});
    }
    auto deletions() const {
        const auto asked = server->asked();
        return std::ranges::count(asked, "DELETE", &HttpAsked::method);
    }

    const test::Scratch scratch;
    const http::ClientOptions client{.retries = 0};
    const std::string manifest =
        nlohmann::json{
            {"schemaVersion", 2},
            {"mediaType", kOciManifest},
            {"layers", nlohmann::json::array(
                           {{{"mediaType", "x"}, {"digest", "sha256:" + std::string(64, 'a')}, {"size", 1}}})}}
            .dump();
    const Job job;
    std::unique_ptr<test::HttpServer> server;
};

TEST_F(FullQuarantine, IsNoReasonToLeaveWhatWasDeniedAfterTheLastAttempt) {
    for (const unsigned refusal : {403u, 503u}) {
        EXPECT_FALSE(act(refusal, false).ok()) << "it may succeed later";
        EXPECT_EQ(deletions(), 0);
        const auto done = act(refusal, true);
        ASSERT_TRUE(done.ok()) << done.error().message;
        EXPECT_THAT(*done, HasSubstr("deleted: "));
        EXPECT_EQ(deletions(), 1);
    }
}

// What is kept of a long reason is text still.
TEST(OciDecision, CutsALongReasonBetweenCharacters) {
    for (std::size_t before = 0; before < 3; ++before) {
        std::string reason(before, 'x');
        while (reason.size() < 40'000) reason += "\u20ac";
        const Decision decision{.reason = reason};
        const auto again = Decision::from_text(decision.to_text());
        ASSERT_TRUE(again.ok()) << again.error().message;
        EXPECT_GT(again->reason.size(), 16'000u);
        EXPECT_LE(again->reason.size(), 16u << 10);
        EXPECT_EQ(again->reason, reason.substr(0, again->reason.size()));
        EXPECT_EQ((again->reason.size() - before) % 3, 0u);
    }
}

}  // namespace
}  // namespace modelseal::hook
