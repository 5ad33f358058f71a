#include "identity/judge.h"

#include <algorithm>

#include <fmt/format.h>

#include "identity/mark.h"
#include "io/rfc3339.h"
#include "util/text.h"

namespace modelseal::identity {
namespace {

Judged refused(Admission why, std::string detail, const std::optional<Payload>& payload = {}) {
    return {.admission = why, .detail = std::move(detail), .payload = payload};
}

std::string time_text(std::uint64_t seconds) {
    return io::rfc3339(static_cast<std::int64_t>(seconds));
}

Error registry_older(const Registry& registry, const Payload& payload) {
    return {ErrorKind::unsupported,
            fmt::format("{}: older than this identity: it has the state after change {}, and the identity was "
                        "issued by change {}",
                        registry.name, *registry.number, payload.change),
            "get the present ledger or registry from the vendor", Remedy::export_registry};
}

std::string no_identity_text(const io::Picture& picture) {
    if (picture.samples.size() >= kPayloadBits) return "the picture carries no identity";
    return fmt::format("the picture carries no identity, for which its {} have no room",
                       util::counted(picture.samples.size(), "sample"));
}

// Of an identity that the vendor issued and the registry has.
Judged judge_registered(Judged judged, std::int64_t now) {
    const auto& identity = *judged.identity;
    const auto& payload = *judged.payload;
    const auto user = util::printable(identity.user);
    if (!identity.revoked.empty()) {
        judged.admission = Admission::revoked;
        judged.detail = fmt::format("the identity of {} was revoked on {}", user, identity.revoked);
        return judged;
    }
    if (payload.expires != 0 && now > static_cast<std::int64_t>(payload.expires)) {
        judged.admission = Admission::expired;
        judged.detail = fmt::format("the identity of {} expired on {}", user, time_text(payload.expires));
        return judged;
    }
    judged.admission = Admission::admitted;
    judged.detail = fmt::format("the identity of {}", user);
    return judged;
}

}  // namespace

Result<Judged> judge(const io::Picture& picture, const Registry& registry, std::int64_t now) {
    const auto payload = extract_payload(picture);
    if (!payload) return refused(Admission::no_identity, no_identity_text(picture));
    if (payload->vendor != hint_of(registry.vendor) || payload->key_type != registry.vendor.type()) {
        return refused(Admission::other_vendor,
                       fmt::format("the identity names another vendor's key ({}..., not {})",
                                   to_hex(payload->vendor), to_hex(registry.vendor.id())),
                       payload);
    }
    if (!holds(*payload, picture, registry.vendor)) {
        return refused(
            Admission::forged,
            "the picture was changed or its identity was forged or copied: the vendor's signature is "
            "not valid for it",
            payload);
    }
    if (registry.number && payload->change > *registry.number) return registry_older(registry, *payload);
    Judged judged{.payload = payload};
    const auto mark = std::ranges::find(registry.marks, to_hex(payload->mark), &IdentityMark::id);
    if (mark == registry.marks.end() || picture_size(*mark) != size_of(picture)) {
        judged.admission = Admission::other_model;
        judged.detail =
            fmt::format("the identity is for mark {}, which is not registered", to_hex(payload->mark));
        return judged;
    }
    judged.mark = &*mark;
    const auto found = std::ranges::find(registry.identities, to_hex(payload->serial), &IssuedIdentity::serial);
    if (found == registry.identities.end() || found->mark != mark->id) {
        judged.admission = Admission::unregistered;
        judged.detail = fmt::format("the identity {} is not registered", to_hex(payload->serial));
        return judged;
    }
    judged.identity = &*found;
    return judge_registered(std::move(judged), now);
}

}  // namespace modelseal::identity

namespace modelseal {

std::string_view name_of(Admission admission) {
    switch (admission) {
        case Admission::admitted:
            return "admitted";
        case Admission::no_identity:
            return "no-identity";
        case Admission::other_vendor:
            return "other-vendor";
        case Admission::forged:
            return "forged";
        case Admission::other_model:
            return "other-model";
        case Admission::unregistered:
            return "unregistered";
        case Admission::revoked:
            return "revoked";
        case Admission::expired:
            return "expired";
        case Admission::other_class:
            return "other-class";
    }
    return "";
}

}  // namespace modelseal
