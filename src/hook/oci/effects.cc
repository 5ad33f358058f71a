#include "hook/oci/effects.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hook/oci/json_fields.h"
#include "hook/oci/names.h"
#include "report/policy.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";
constexpr std::size_t kMostReferrers = 1000;  // in an index of ours

ordered_json descriptor_of(std::string_view media_type, std::string_view bytes) {
    return {{"mediaType", media_type}, {"digest", digest_of(bytes)}, {"size", bytes.size()}};
}

ordered_json annotations_of(const Decision& decision) {
    return {{"org.opencontainers.image.created", decision.time},
            {"org.modelseal.outcome", report::word(decision.outcome)},
            {"org.modelseal.verdict", decision.verdict}};
}

// OCI image specification 1.1, "Guidelines for artifact usage". The same bytes each time, for the same decision.
std::string referrer_of(const Job& job, const Decision& decision) {
    auto layer = descriptor_of(kReportType, decision.report);
    layer["annotations"] = {{"org.opencontainers.image.title", "modelseal-check.json"}};
    return ordered_json{
        {"schemaVersion", 2},
        {"mediaType", kOciManifest},
        {"artifactType", kReportType},
        {"config", descriptor_of(kEmptyType, kEmptyObject)},
        {"layers", ordered_json::array({std::move(layer)})},
        {"subject", {{"mediaType", decision.media_type}, {"digest", job.digest}, {"size", decision.size}}},
        {"annotations", annotations_of(decision)}}
        .dump();
}

class Effects {
  public:
    Effects(Registry& registry, JobQueue& queue, const Job& job, const Decision& decision,
            const EffectOptions& options)
        : registry_(registry), queue_(queue), job_(job), decision_(decision), options_(options) {}

    Result<std::string> run() {
        using Outcome = Ruling::Outcome;
        if (decision_.subject != Decision::Subject::files) return std::string();
        const bool passes = decision_.outcome == Outcome::allow || decision_.outcome == Outcome::warn;
        if (passes || options_.on_deny == OnDeny::nothing)
            return attach(job_.repository, passes ? "" : "left in place");
        if (decision_.outcome == Outcome::deny && options_.on_deny == OnDeny::remove) return remove("deleted");
        return quarantine();
    }

  private:
    bool may_succeed_later(const Error& error) const {
        return error.kind == ErrorKind::unreadable && !options_.last_attempt;
    }
    // What was denied and cannot be copied must not stay.
    Result<std::string> give_way(const Error& error) {
        if (may_succeed_later(error)) return error;
        return remove("deleted: " + util::printable(error.message));
    }
    Result<std::string> attach(const std::string& repository, std::string action);
    Result<void> push_referrer(const std::string& repository);
    Result<void> list_referrer(const std::string& repository, const std::string& referrer);
    Result<std::string> remove(std::string action) {
        MODELSEAL_TRY(registry_.delete_manifest(job_.repository, job_.digest));
        return action;
    }
    Result<std::string> quarantine();
    Result<void> copy_to(const std::string& repository, const StoredManifest& stored);

    Registry& registry_;
    JobQueue& queue_;
    const Job& job_;
    const Decision& decision_;
    const EffectOptions& options_;
};

std::string joined_action(std::string action, std::string_view more) {
    return action.empty() ? std::string(more) : fmt::format("{}, {}", action, more);
}

// A report that a registry does not take is not a reason to do anything else about the upload.
Result<std::string> Effects::attach(const std::string& repository, std::string action) {
    if (!options_.attach || decision_.report.empty()) return action;
    const auto pushed = push_referrer(repository);
    if (pushed.ok()) return joined_action(std::move(action), "report attached");
    if (may_succeed_later(pushed.error())) return pushed.error();
    return joined_action(std::move(action), "report not attached: " + util::printable(pushed.error().message));
}

Result<void> Effects::push_referrer(const std::string& repository) {
    MODELSEAL_TRY(registry_.push_blob(repository, kEmptyObject));
    MODELSEAL_TRY(registry_.push_blob(repository, decision_.report));
    const auto referrer = referrer_of(job_, decision_);
    const auto digest = digest_of(referrer);
    MODELSEAL_TRY(queue_.remember_own(repository, digest));
    MODELSEAL_TRY_ASSIGN(const bool listed,
                         registry_.push_manifest(repository, digest, {referrer, std::string(kOciManifest)}));
    return listed ? Result<void>() : list_referrer(repository, referrer);
}

// OCI distribution 1.1, "Pushing manifests with subject": a registry without the API of referrers has their list under a tag
// that is made of the subject's digest.
Result<void> Effects::list_referrer(const std::string& repository, const std::string& referrer) {
    const auto colon = job_.digest.find(':');
    const auto tag = job_.digest.substr(0, colon) + "-" + job_.digest.substr(colon + 1, 64);
    MODELSEAL_TRY_ASSIGN(const auto stored, registry_.manifest(repository, tag));
    ordered_json index{{"schemaVersion", 2}, {"mediaType", kOciIndex}, {"manifests", ordered_json::array()}};
    if (stored) {
        MODELSEAL_TRY_ASSIGN(const auto listed, parse_json_object(stored->bytes, "the list of referrers"));
        const auto manifests = listed.find("manifests");
        if (manifests == listed.end() || !manifests->is_array() || manifests->size() >= kMostReferrers)
            return Error{ErrorKind::malformed, "the list of referrers is none, or has more than 1,000", {}};
        for (const auto& entry : *manifests) {
            // A report of before is replaced.
            if (text_field(entry, "artifactType") != kReportType)
                index["manifests"].emplace_back(ordered_json(entry));
        }
    }
    auto entry = descriptor_of(kOciManifest, referrer);
    entry["artifactType"] = kReportType;
    entry["annotations"] = annotations_of(decision_);
    index["manifests"].push_back(std::move(entry));
    const auto text = index.dump();
    MODELSEAL_TRY(queue_.remember_own(repository, digest_of(text)));
    MODELSEAL_TRY(registry_.push_manifest(repository, tag, {text, std::string(kOciIndex)}));
    return {};
}

Result<void> Effects::copy_to(const std::string& repository, const StoredManifest& stored) {
    const auto manifest = parse_manifest(stored.bytes, stored.media_type);
    if (manifest.ok()) {
        for (const auto& blob : manifest->blobs)
            MODELSEAL_TRY(registry_.mount_blob(repository, blob, job_.repository));
    }
    MODELSEAL_TRY(queue_.remember_own(repository, job_.digest));
    const auto hex = job_.digest.substr(job_.digest.find(':') + 1, 16);
    MODELSEAL_TRY(registry_.push_manifest(repository, "quarantined-" + hex, stored));
    return {};
}

Result<std::string> Effects::quarantine() {
    if (job_.repository.starts_with(options_.quarantine + "/"))
        return attach(job_.repository, "left in quarantine");
    const auto repository = options_.quarantine + "/" + job_.repository;
    if (!is_repository(repository)) return remove("deleted: its name in quarantine would not be valid");
    const auto stored = registry_.manifest(job_.repository, job_.digest);
    if (!stored.ok()) return give_way(stored.error());
    if (!*stored) {
        // Deleted by somebody else, or by an attempt that did not come further.
        MODELSEAL_TRY_ASSIGN(const auto moved, registry_.manifest(repository, job_.digest));
        return moved ? attach(repository, "moved to " + repository) : std::string("gone already");
    }
    if (const auto copied = copy_to(repository, **stored); !copied.ok()) return give_way(copied.error());
    // First of all out of the way: a report may be a reason to try again.
    MODELSEAL_TRY_ASSIGN(auto action, remove("moved to " + repository));
    return attach(repository, std::move(action));
}

}  // namespace

Result<std::string> act_upon(Registry& registry, JobQueue& queue, const Job& job, const Decision& decision,
                             const EffectOptions& options) {
    return Effects(registry, queue, job, decision, options).run();
}

}  // namespace modelseal::hook
