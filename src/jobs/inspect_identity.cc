#include "jobs/inspect_identity.h"

#include <algorithm>

#include <fmt/format.h>

#include "identity/payload.h"
#include "identity/registry.h"
#include "io/png.h"
#include "io/rfc3339.h"
#include "jobs/identity/source.h"
#include <modelseal/ledger.h>

namespace modelseal::jobs {
namespace {

constexpr std::size_t kPngSignature = 8, kMostMarksShown = 100;

std::string expiry_text(std::uint64_t seconds) {
    if (seconds == 0) return "never";
    if (seconds > static_cast<std::uint64_t>(io::kLastSecond)) return "after the year 9999";
    return io::rfc3339(static_cast<std::int64_t>(seconds));
}

void verify_picture(const identity::Payload& payload, const io::Picture& picture,
                    const std::vector<CheckKey>& keys, Inspection& out) {
    const bool verified = std::ranges::any_of(
        keys, [&](const CheckKey& key) { return identity::holds(payload, picture, key.vendor); });
    out.facts.push_back({"verified", verified});
    if (verified) {
        out.warnings.emplace_back(
            "whether it is registered, revoked or answered by the model is not seen here");
    } else if (keys.empty()) {
        out.warnings.emplace_back(
            "not verified: anybody can write such bits; the vendor's public key is needed");
    } else {
        out.warnings.emplace_back(
            "not authentic under the given keys: changed, copied, forged or of another vendor");
    }
}

}  // namespace

bool looks_like_picture(const Source& source) {
    std::array<std::byte, kPngSignature> head{};
    return source.size() > head.size() && source.read(0, head).ok() && io::is_png(head);
}

Result<Inspection> inspect_picture(const std::filesystem::path& path, const InspectOptions& options) {
    MODELSEAL_TRY_ASSIGN(const auto picture, read_picture(path));
    Inspection out{.target = path.string(), .kind = "picture"};
    out.facts.push_back({"width", std::uint64_t{picture.width}});
    out.facts.push_back({"height", std::uint64_t{picture.height}});
    out.facts.push_back({"channels", std::uint64_t{picture.channels}});
    const auto payload = identity::extract_payload(picture);
    if (!payload) {
        out.warnings.emplace_back("carries no identity");
        return out;
    }
    out.kind = "identity-image";
    out.facts.push_back({"vendor_key_begins", to_hex(payload->vendor)});
    out.facts.push_back({"mark", to_hex(payload->mark)});
    out.facts.push_back({"serial", to_hex(payload->serial)});
    out.facts.push_back({"expires", expiry_text(payload->expires)});
    out.facts.push_back({"change", payload->change});
    verify_picture(*payload, picture, options.keys, out);
    return out;
}

Result<Inspection> inspect_registry(const Source& source, const std::string& target,
                                    const InspectOptions& options) {
    MODELSEAL_TRY_ASSIGN(const auto registry, identity::load_registry(source));
    Inspection out{.target = target, .kind = "identity-registry"};
    out.facts.push_back({"vendor_key", to_hex(registry.vendor.id())});
    out.facts.push_back({"ledger", registry.ledger.substr(0, 16)});
    out.facts.push_back({"number", *registry.number});
    out.facts.push_back({"exported", io::rfc3339(registry.made)});
    out.facts.push_back({"next", io::rfc3339(registry.next)});
    out.facts.push_back({"key_images", registry.with_key_images});
    add_identity_facts(
        {.ledger = {}, .changes = {}, .marks = registry.marks, .identities = registry.identities}, out);
    const bool known =
        std::ranges::any_of(options.keys, [&](const CheckKey& key) { return key.vendor == registry.vendor; });
    out.facts.push_back({"verified", known});
    if (known) return out;
    out.warnings.emplace_back(options.keys.empty()
                                  ? "verified only under the key that it names, which anybody can make"
                                  : "of another vendor than the given keys");
    return out;
}

void add_identity_facts(const IdentityRecords& records, Inspection& out) {
    out.facts.push_back({"marks", std::uint64_t{records.marks.size()}});
    for (std::size_t i = 0; i < std::min(records.marks.size(), kMostMarksShown); ++i) {
        const auto& mark = records.marks[i];
        out.facts.push_back({fmt::format("mark_{}", i + 1),
                             fmt::format("{}, {}, additional class {}{}", mark.id, mark.model, mark.extra_class,
                                         mark.finished ? "" : ", not recorded as finished")});
    }
    out.facts.push_back({"identities", std::uint64_t{records.identities.size()}});
    const auto revoked = std::ranges::count_if(
        records.identities, [](const IssuedIdentity& identity) { return !identity.revoked.empty(); });
    out.facts.push_back({"revoked", static_cast<std::uint64_t>(revoked)});
}

}  // namespace modelseal::jobs
