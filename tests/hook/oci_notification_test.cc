#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hook/oci/notification.h"

namespace modelseal::hook {
namespace {

using nlohmann::json;

const std::string kPushed = "sha256:" + std::string(64, 'a');

// As docker-registry 2.8.2 sends it, shortened.
json pushed_event() {
    return {{"id", "6b1a"},
            {"timestamp", "2026-11-29T17:00:00Z"},
            {"action", "push"},
            {"target",
             {{"mediaType", "application/vnd.oci.image.manifest.v1+json"},
              {"size", 708},
              {"digest", kPushed},
              {"repository", "acme/net"},
              {"url", "http://127.0.0.1:5000/v2/acme/net/manifests/" + kPushed},
              {"tag", "latest"}}},
            {"request", {{"method", "PUT"}}}};
}

std::string envelope(const json& events) {
    return json{{"events", events}}.dump();
}

TEST(Notification, OfDistributionNamesPushedManifests) {
    auto pull = pushed_event(), blob = pushed_event();
    pull["action"] = "pull";
    blob["target"]["url"] = "http://127.0.0.1:5000/v2/acme/net/blobs/" + kPushed;
    const auto uploads = uploads_in(envelope({pull, blob, pushed_event()})).value();
    ASSERT_EQ(uploads.size(), 1u);
    EXPECT_EQ(uploads[0], (Upload{"sender:6b1a", "acme/net", kPushed, "latest"}));
}

TEST(Notification, OfHarborNamesPushedArtifacts) {
    const json hook{
        {"type", "PUSH_ARTIFACT"},
        {"occur_at", 1680501893},
        {"operator", "harbor-jobservice"},
        {"event_data",
         {{"resources", {{{"digest", kPushed}, {"tag", "v1"}, {"resource_url", "h/acme/net:v1"}}}},
          {"repository", {{"name", "net"}, {"namespace", "acme"}, {"repo_full_name", "acme/net"}}}}}};
    const auto uploads = uploads_in(hook.dump()).value();
    ASSERT_EQ(uploads.size(), 1u);
    EXPECT_EQ(uploads[0].repository, "acme/net");
    EXPECT_EQ(uploads[0].tag, "v1");
    // The same webhook again is the same event; one at another time is not.
    EXPECT_EQ(uploads_in(hook.dump()).value()[0].event, uploads[0].event);
    auto later = hook;
    later["occur_at"] = 1680501894;
    EXPECT_NE(uploads_in(later.dump()).value()[0].event, uploads[0].event);
    auto deleted = hook;
    deleted["type"] = "DELETE_ARTIFACT";
    EXPECT_TRUE(uploads_in(deleted.dump()).value().empty());
}

TEST(Notification, OfARepositoryThatIsNamedAfterBlobsCounts) {
    auto event = pushed_event();
    event["target"]["repository"] = "team/blobs/x";
    event["target"]["url"] = "http://127.0.0.1:5000/v2/team/blobs/x/manifests/" + kPushed;
    event["target"]["mediaType"] = "application/octet-stream";  // the sender of the manifest claims it
    EXPECT_EQ(uploads_in(envelope(json::array({event}))).value().size(), 1u);
    event["target"].erase("url");
    EXPECT_TRUE(uploads_in(envelope(json::array({event}))).value().empty());
}

TEST(SpoiledNotification, IsRefusedCompletely) {
    const std::vector<std::string> spoiled{"",
                                           "{",
                                           "[]",
                                           "null",
                                           "{}",
                                           R"({"events": 5})",
                                           R"({"events": [], "events": []})",
                                           std::string(5 << 20, ' ')};
    for (const auto& body : spoiled) {
        const auto uploads = uploads_in(body);
        ASSERT_FALSE(uploads.ok()) << body.substr(0, 200);
        EXPECT_EQ(uploads.error().kind, ErrorKind::malformed);
    }
}

TEST(SpoiledEvent, IsSkippedAndCounted) {
    const auto skipped_beside_one = [](const json& event) {
        SkippedEvents skipped;
        EXPECT_EQ(uploads_in(envelope({event, pushed_event()}), &skipped).value().size(), 1u) << event;
        EXPECT_FALSE(skipped.first.empty()) << event;
        return skipped.count;
    };
    EXPECT_EQ(skipped_beside_one(5), 1u);
    EXPECT_EQ(skipped_beside_one(json::object()), 1u);
    for (const auto& [key, value] : std::vector<std::pair<const char*, json>>{{"digest", "sha256:abc"},
                                                                              {"digest", 7},
                                                                              {"digest", "../../" + kPushed},
                                                                              {"repository", "acme/../net"},
                                                                              {"repository", "acme/net?x"},
                                                                              {"repository", nullptr}}) {
        auto event = pushed_event();
        event["target"][key] = value;
        EXPECT_EQ(skipped_beside_one(event), 1u);
    }
    SkippedEvents skipped;
    EXPECT_TRUE(uploads_in(R"({"type": "PUSH_ARTIFACT", "event_data": []})", &skipped).value().empty());
    EXPECT_EQ(skipped.count, 1u);
}

TEST(Notification, IsBounded) {
    EXPECT_EQ(uploads_in(envelope(json(
                             std::vector<json>(10'000, json{{"action", "pull"}, {"target", json::object()}}))))
                  .value()
                  .size(),
              0u);
    json many = json::array();
    for (int i = 0; i <= 10'000; ++i)
        many.push_back({{"action", "push"}, {"target", {{"repository", "a"}, {"digest", kPushed}}}});
    EXPECT_FALSE(uploads_in(envelope(many)).ok());
}

TEST(Notification, WithoutAnIdIsKnownByWhatItSays) {
    auto event = pushed_event();
    event["id"] = std::string(10'000, 'x');
    const auto first = uploads_in(envelope(json::array({event}))).value()[0].event;
    EXPECT_LE(first.size(), 100u);
    event["id"] = std::string(10'000, 'y');
    EXPECT_NE(uploads_in(envelope(json::array({event}))).value()[0].event, first);
}

}  // namespace
}  // namespace modelseal::hook
