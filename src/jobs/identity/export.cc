#include <algorithm>
#include <new>

#include <fmt/format.h>

#include "identity/registry.h"
#include "io/file.h"
#include "io/rfc3339.h"
#include "util/text.h"
#include <modelseal/identity.h>

namespace modelseal {
namespace {

constexpr std::int64_t kNextSeconds = 30 * 86'400;

Result<std::int64_t> next_of(const std::string& text, std::int64_t made) {
    if (text.empty()) return std::min(made + kNextSeconds, io::kLastSecond);
    const auto next = io::parse_rfc3339(text);
    if (next && *next > made) return *next;
    return Error{
        ErrorKind::usage,
        fmt::format("the date of the next registry is not a time after now: '{}'", util::printable(text)),
        {}};
}

Result<ExportSummary> export_to(const std::filesystem::path& out, const ExportOptions& options) {
    const auto& ledger = options.ledger;
    if (!ledger.verified() || ledger.vendor() != options.key.public_key()) {
        return Error{
            ErrorKind::mismatch,
            util::printable(ledger.path().string()) + ": opened with a key that is not the signing key",
            {}};
    }
    MODELSEAL_TRY_ASSIGN(auto records, ledger.identity_records());
    auto registry =
        identity::registry_of(std::move(records), ledger.vendor(), util::printable(ledger.path().string()));
    MODELSEAL_TRY_ASSIGN(registry.made, io::build_seconds());
    MODELSEAL_TRY_ASSIGN(registry.next, next_of(options.next, registry.made));
    registry.with_key_images = options.key_images;
    MODELSEAL_TRY_ASSIGN(const auto bytes, identity::encode_registry(registry, options.key));
    // Whoever has key images can show them.
    const auto mode = options.key_images ? 0600u : 0644u;
    MODELSEAL_TRY_ASSIGN(auto file, io::AtomicFile::create(out, mode, io::WriteMode::replace));
    MODELSEAL_TRY(file.write(0, bytes));
    MODELSEAL_TRY(file.commit());
    ExportSummary summary{.number = *registry.number,
                          .exported = io::rfc3339(registry.made),
                          .next = io::rfc3339(registry.next),
                          .marks = registry.marks.size(),
                          .identities = registry.identities.size()};
    for (const auto& mark : registry.marks)
        summary.key_images += options.key_images ? mark.key_images.size() : 0;
    for (const auto& identity : registry.identities) summary.revoked += identity.revoked.empty() ? 0u : 1u;
    return summary;
}

}  // namespace

Result<ExportSummary> export_registry(const std::filesystem::path& out, const ExportOptions& options) {
    try {
        return export_to(out, options);
    } catch (const std::bad_alloc&) {
        return Error{ErrorKind::unreadable,
                     util::printable(out.string()) + ": not enough memory to export the registry",
                     {}};
    }
}

}  // namespace modelseal
