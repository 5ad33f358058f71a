#include "oms/trusted_root.h"

#include <limits>

#include <fmt/format.h>

#include "io/file_kind.h"
#include "io/rfc3339.h"
#include "oms/fields.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

constexpr std::uint64_t kMaxFile = 4u << 20;
constexpr std::string_view kType = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

// Truncates to seconds.
Result<std::int64_t> read_time(const Fields& fields, const std::string& key) {
    MODELSEAL_TRY_ASSIGN(auto text, fields.text(key));
    if (const auto point = text.find('.'); point != text.npos) text = text.substr(0, point) + "Z";
    if (const auto seconds = io::parse_rfc3339(text)) return *seconds;
    return fields.malformed(fmt::format("'{}' is not a time", key));
}

Result<ValidFor> read_valid(const Fields& fields) {
    ValidFor valid{0, std::numeric_limits<std::int64_t>::max()};
    MODELSEAL_TRY_ASSIGN(const auto held, fields.object("validFor"));
    MODELSEAL_TRY_ASSIGN(valid.from, read_time(held, "start"));
    if (held.find("end") == nullptr) return valid;
    MODELSEAL_TRY_ASSIGN(valid.to, read_time(held, "end"));
    return valid;
}

Result<TrustedRoot::Log> read_log(const Fields& entry) {
    TrustedRoot::Log log;
    MODELSEAL_TRY_ASSIGN(const auto held, entry.object("publicKey"));
    MODELSEAL_TRY_ASSIGN(const auto der, held.bytes("rawBytes"));
    MODELSEAL_TRY_ASSIGN(log.kind, held.text("keyDetails"));
    MODELSEAL_TRY_ASSIGN(log.valid, read_valid(held));
    MODELSEAL_TRY_ASSIGN(const auto id, entry.object("logId"));
    MODELSEAL_TRY_ASSIGN(log.id, id.bytes("keyId"));
    auto key = crypto::LogKey::of(log.kind, der, held.where());
    // Logs that are not used here may be of unknown kinds.
    if (!key.ok() && key.error().kind != ErrorKind::unsupported) return std::move(key).error();
    if (key.ok()) log.key = std::move(key).value();
    return log;
}

Result<std::vector<TrustedRoot::Log>> read_logs(const Fields& root, const std::string& name) {
    std::vector<TrustedRoot::Log> out;
    if (root.find(name) == nullptr) return out;
    MODELSEAL_TRY_ASSIGN(const auto* list, root.list(name));
    for (std::size_t i = 0; i < list->size(); ++i) {
        MODELSEAL_TRY_ASSIGN(const auto entry,
                             Fields::of((*list)[i], fmt::format("{}.{}[{}]", root.where(), name, i)));
        MODELSEAL_TRY_ASSIGN(auto log, read_log(entry));
        out.push_back(std::move(log));
    }
    return out;
}

Result<std::vector<TrustedRoot::Authority>> read_authorities(const Fields& root, const std::string& name) {
    std::vector<TrustedRoot::Authority> out;
    if (root.find(name) == nullptr) return out;
    MODELSEAL_TRY_ASSIGN(const auto* list, root.list(name));
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto where = fmt::format("{}.{}[{}]", root.where(), name, i);
        MODELSEAL_TRY_ASSIGN(const auto entry, Fields::of((*list)[i], where));
        TrustedRoot::Authority authority;
        MODELSEAL_TRY_ASSIGN(authority.valid, read_valid(entry));
        MODELSEAL_TRY_ASSIGN(const auto chain, entry.object("certChain"));
        MODELSEAL_TRY_ASSIGN(const auto* certificates, chain.list("certificates"));
        for (const auto& each : *certificates) {
            MODELSEAL_TRY_ASSIGN(const auto held, Fields::of(each, where));
            MODELSEAL_TRY_ASSIGN(const auto der, held.bytes("rawBytes"));
            MODELSEAL_TRY_ASSIGN(auto certificate, crypto::Certificate::of_der(der, where));
            authority.chain.push_back(std::move(certificate));
        }
        out.push_back(std::move(authority));
    }
    return out;
}

}  // namespace

Result<TrustedRoot> parse_trusted_root(std::string_view text, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto json, parse_document(text, shown, "trusted root"));
    MODELSEAL_TRY_ASSIGN(const auto root, Fields::of(json, shown + ": trusted root"));
    MODELSEAL_TRY_ASSIGN(const auto type, root.text("mediaType"));
    if (type != kType) {
        return Error{ErrorKind::unsupported, fmt::format("{}: 'mediaType' is not {}", root.where(), kType), {}};
    }
    TrustedRoot out;
    MODELSEAL_TRY_ASSIGN(out.logs, read_logs(root, "tlogs"));
    MODELSEAL_TRY_ASSIGN(out.certificate_logs, read_logs(root, "ctlogs"));
    MODELSEAL_TRY_ASSIGN(out.authorities, read_authorities(root, "certificateAuthorities"));
    MODELSEAL_TRY_ASSIGN(out.timestamp_authorities, read_authorities(root, "timestampAuthorities"));
    return out;
}

Result<TrustedRoot> load_trusted_root(const std::string& path) {
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(path, kMaxFile, "trusted root"));
    return parse_trusted_root(text, util::printable(path));
}

Result<const crypto::LogKey*> usable(const TrustedRoot::Log& log, const std::string& shown) {
    if (log.key) return &*log.key;
    return Error{
        ErrorKind::unsupported,
        fmt::format("{}: log keys of the kind '{}' are not supported", shown, util::printable(log.kind)),
        {}};
}

}  // namespace modelseal::oms
