#include "hook/oci/notification.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hook/oci/json_fields.h"
#include "hook/oci/names.h"
#include "util/error.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

using nlohmann::json;

constexpr std::size_t kMostEventId = 256;

Error spoiled(std::string_view what) {
    return util::malformed("notification", what);
}

// Harbor and some others give no id: then what identifies the push is one.
std::string event_id(std::string id, const Upload& upload, const std::string& time) {
    if (!id.empty() && id.size() <= kMostEventId) return "sender:" + id;
    const auto all = fmt::format("{}\n{}\n{}\n{}\n{}", id, upload.repository, upload.digest, upload.tag, time);
    return std::string(kDerivedEvent) + digest_of(all);
}

void pass_over(SkippedEvents& skipped, std::string why) {
    if (skipped.count++ == 0) skipped.first = std::move(why);
}

Result<void> add_upload(std::vector<Upload>& uploads, Upload upload, SkippedEvents& skipped) {
    if (!is_repository(upload.repository)) {
        pass_over(skipped, fmt::format("a push to '{}', which is not the name of a repository",
                                       util::printable(upload.repository.substr(0, 300))));
        return {};
    }
    if (!is_digest(upload.digest)) {
        pass_over(skipped,
                  fmt::format("a push to '{}' with the digest '{}', which is not one of SHA-256 or SHA-512",
                              upload.repository, util::printable(upload.digest.substr(0, 100))));
        return {};
    }
    if (!upload.tag.empty() && !is_tag(upload.tag)) upload.tag.clear();  // decides nothing
    if (uploads.size() == kMostUploadsAtOnce) return spoiled("more than 10,000 pushes at once");
    uploads.push_back(std::move(upload));
    return {};
}

// A layer or a configuration. Its address says so at its end: a repository may be named "team/blobs/x", and a media type is what
// the sender of a manifest claims.
bool is_blob(const json& target) {
    const auto url = text_field(target, "url");
    if (!url.empty()) return url.ends_with("/blobs/" + text_field(target, "digest"));
    return text_field(target, "mediaType") == "application/octet-stream";
}

// https://distribution.github.io/distribution/about/notifications/
Result<std::vector<Upload>> events_of(const json& events, SkippedEvents& skipped) {
    std::vector<Upload> uploads;
    for (const auto& event : events) {
        if (!event.is_object() || !event.contains("target") || !event["target"].is_object()) {
            pass_over(skipped, "an event without a target");
            continue;
        }
        const auto& target = event["target"];
        if (text_field(event, "action") != "push" || is_blob(target)) continue;
        Upload upload{.event = {},
                      .repository = text_field(target, "repository"),
                      .digest = text_field(target, "digest"),
                      .tag = text_field(target, "tag")};
        upload.event = event_id(text_field(event, "id"), upload, text_field(event, "timestamp"));
        MODELSEAL_TRY(add_upload(uploads, std::move(upload), skipped));
    }
    return uploads;
}

// https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/
Result<std::vector<Upload>> harbor_uploads(const json& hook, SkippedEvents& skipped) {
    std::vector<Upload> uploads;
    if (text_field(hook, "type") != "PUSH_ARTIFACT") return uploads;
    const auto& data = hook["event_data"];
    if (!data.is_object() || !data.contains("repository") || !data.contains("resources") ||
        !data["resources"].is_array()) {
        pass_over(skipped, "a webhook without a repository and its resources");
        return uploads;
    }
    const auto time = hook.contains("occur_at") ? hook["occur_at"].dump() : std::string();
    for (const auto& resource : data["resources"]) {
        Upload upload{.event = {},
                      .repository = text_field(data["repository"], "repo_full_name"),
                      .digest = text_field(resource, "digest"),
                      .tag = text_field(resource, "tag")};
        if (upload.tag == upload.digest) upload.tag.clear();
        upload.event = event_id({}, upload, time);
        MODELSEAL_TRY(add_upload(uploads, std::move(upload), skipped));
    }
    return uploads;
}

}  // namespace

Result<std::vector<Upload>> uploads_in(std::string_view body, SkippedEvents* skipped) {
    SkippedEvents own;
    auto& counted = skipped != nullptr ? *skipped : own;
    if (body.size() > kMostNotificationBytes) return spoiled("more than 4 MiB");
    MODELSEAL_TRY_ASSIGN(const auto object, parse_json_object(body, "notification"));
    if (object.contains("events") && object["events"].is_array()) return events_of(object["events"], counted);
    if (object.contains("type") && object.contains("event_data")) return harbor_uploads(object, counted);
    return spoiled("neither events of a registry nor a webhook of Harbor");
}

}  // namespace modelseal::hook
