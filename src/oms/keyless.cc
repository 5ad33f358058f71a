#include "oms/keyless.h"

#include <algorithm>

#include <fmt/format.h>

#include "crypto/base64.h"
#include "crypto/sha256.h"
#include "crypto/timestamp.h"
#include "formats/reader.h"
#include "io/rfc3339.h"
#include "oms/fields.h"
#include "oms/log_proof.h"

namespace modelseal::oms {
namespace {

using crypto::Certificate;

// Extensions of Fulcio's certificates: the issuer of the identity, as UTF8String and, older, as bare bytes.
constexpr const char* kIssuer = "1.3.6.1.4.1.57264.1.8";
constexpr const char* kIssuerOld = "1.3.6.1.4.1.57264.1.1";

Error mismatch(const std::string& shown, const std::string& what) {
    return {ErrorKind::mismatch, shown + ": " + what, {}};
}

// Whether the log's record is of this signature, this payload and this certificate.
Result<bool> is_about(const LogEntry& entry, const Bundle& bundle, const std::string& shown) {
    const std::string_view text(reinterpret_cast<const char*>(entry.body.data()), entry.body.size());
    MODELSEAL_TRY_ASSIGN(const auto json, parse_document(text, shown, "log entry"));
    MODELSEAL_TRY_ASSIGN(const auto outer, Fields::of(json, shown + ": log entry"));
    MODELSEAL_TRY_ASSIGN(const auto kind, outer.text("kind"));
    MODELSEAL_TRY_ASSIGN(const auto version, outer.text("apiVersion"));
    if (kind != "dsse" || version != "0.0.1" || entry.kind != kind || entry.version != version) return false;
    MODELSEAL_TRY_ASSIGN(const auto spec, outer.object("spec"));
    MODELSEAL_TRY_ASSIGN(const auto hash, spec.object("payloadHash"));
    MODELSEAL_TRY_ASSIGN(const auto algorithm, hash.text("algorithm"));
    MODELSEAL_TRY_ASSIGN(const auto value, hash.text("value"));
    if (algorithm != "sha256" || value != to_hex(crypto::Sha256().update(bundle.payload).finish()))
        return false;
    MODELSEAL_TRY_ASSIGN(const auto* signatures, spec.list("signatures"));
    if (signatures->size() != 1) return false;
    MODELSEAL_TRY_ASSIGN(const auto signature, Fields::of(signatures->front(), spec.where()));
    MODELSEAL_TRY_ASSIGN(const auto made, signature.bytes("signature"));
    MODELSEAL_TRY_ASSIGN(const auto verifier, signature.bytes("verifier"));
    const std::string_view pem(reinterpret_cast<const char*>(verifier.data()), verifier.size());
    MODELSEAL_TRY_ASSIGN(const auto certificates, Certificate::of_pem(pem, shown + ": log entry"));
    return made == bundle.signature && certificates.size() == 1 &&
           certificates.front().der() == bundle.certificates.front();
}

// The time at which the log took the entry up; nothing if it did not sign one.
Result<std::optional<std::int64_t>> check_entry(const LogEntry& entry, const Bundle& bundle,
                                                const TrustedRoot& root, const std::string& shown) {
    const auto log = std::ranges::find(root.logs, entry.log_id, &TrustedRoot::Log::id);
    if (log == root.logs.end()) return mismatch(shown, "its log is none that the trusted root knows");
    if (!in_tree(entry)) return mismatch(shown, "the log does not prove that it holds the signature");
    if (!checkpoint_holds(entry, *log)) return mismatch(shown, "the log did not sign the tree of its proof");
    MODELSEAL_TRY_ASSIGN(const bool about, is_about(entry, bundle, shown));
    if (!about) return mismatch(shown, "the log's entry is about something else");
    if (entry.promise.empty()) return std::optional<std::int64_t>();
    if (!promise_holds(entry, *log))
        return mismatch(shown, "the log did not sign when it took the signature up");
    const auto at = static_cast<std::int64_t>(entry.integrated_time);
    if (!log->valid.covers(at)) return mismatch(shown, "the log's key was not in use then");
    return std::optional(at);
}

// Every time that somebody trusted gives the signature.
Result<std::vector<std::int64_t>> times_of(const Bundle& bundle, const TrustedRoot& root,
                                           const std::string& shown) {
    std::vector<std::int64_t> times;
    for (const auto& entry : bundle.log) {
        MODELSEAL_TRY_ASSIGN(const auto at, check_entry(entry, bundle, root, shown));
        if (at) times.push_back(*at);
    }
    for (const auto& stamp : bundle.timestamps) {
        Result<std::int64_t> at =
            mismatch(shown, "its timestamp is of no authority that the trusted root knows");
        for (const auto& authority : root.timestamp_authorities) {
            auto tried = crypto::verify_timestamp(stamp, bundle.signature, authority.chain, shown);
            if (tried.ok() && !authority.valid.covers(*tried)) {
                tried = mismatch(shown, "its timestamp authority was not in use then");
            }
            if (tried.ok() || !at.ok()) at = std::move(tried);
            if (at.ok()) break;
        }
        if (!at.ok()) return std::move(at).error();
        times.push_back(*at);
    }
    if (times.empty()) return mismatch(shown, "nobody says when it was made");
    return times;
}

Result<void> check_chain(const Certificate& leaf, const TrustedRoot& root, std::int64_t at,
                         const std::string& shown) {
    Result<void> last = mismatch(shown, "no authority of the trusted root was in use at " + io::rfc3339(at));
    for (const auto& authority : root.authorities) {
        if (!authority.valid.covers(at)) continue;
        last = crypto::verify_chain({leaf}, authority.chain, at, shown);
        if (last.ok()) break;
    }
    return last;
}

Result<void> check_identity(const Certificate& leaf, const VerifyOptions& options, const std::string& shown) {
    const auto names = leaf.alternative_names();
    if (std::ranges::find(names, options.identity) == names.end()) {
        return mismatch(shown,
                        fmt::format("signed by {}, not by {}",
                                    names.empty() ? "nobody" : "'" + formats::printable(names.front()) + "'",
                                    formats::printable(options.identity)));
    }
    auto issuer = leaf.text_extension(kIssuer);
    if (issuer.empty()) issuer = leaf.text_extension(kIssuerOld);
    if (issuer == options.issuer) return {};
    return mismatch(shown, fmt::format("the identity was vouched for by '{}', not by {}",
                                       formats::printable(issuer), formats::printable(options.issuer)));
}

}  // namespace

Result<Signer> by_identity(const Bundle& bundle, const VerifyOptions& options, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto root, load_trusted_root(options.trusted_root));
    MODELSEAL_TRY_ASSIGN(const auto leaf, Certificate::of_der(bundle.certificates.front(), shown));
    MODELSEAL_TRY_ASSIGN(const auto key, leaf.key(shown));
    MODELSEAL_TRY(holds(key, bundle, shown));
    MODELSEAL_TRY_ASSIGN(const auto times, times_of(bundle, root, shown));
    for (const auto at : times) MODELSEAL_TRY(check_chain(leaf, root, at, shown));
    MODELSEAL_TRY(check_identity(leaf, options, shown));
    return Signer{.name = options.identity, .timestamp = io::rfc3339(std::ranges::min(times))};
}

}  // namespace modelseal::oms
