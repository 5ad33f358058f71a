#include "oms/keyless.h"

#include <algorithm>

#include <fmt/format.h>

#include "crypto/sha256.h"
#include "crypto/timestamp.h"
#include "io/rfc3339.h"
#include "oms/log_body.h"
#include "oms/log_proof.h"
#include "oms/logged_certificate.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

using crypto::Certificate;

Error mismatch(const std::string& shown, const std::string& what) {
    return {ErrorKind::mismatch, shown + ": " + what, {}};
}

// Whether the log's record is of this signature, this payload and this certificate.
bool is_about(const LogBody& body, const Bundle& bundle) {
    return std::ranges::equal(body.payload_hash, crypto::Sha256().update(bundle.payload).finish()) &&
           body.signature == bundle.signature && body.certificate == bundle.certificates.front();
}

// Rekor 1 counts entries over all its shards, and signs that number with the time. Rekor 2 signs neither.
Result<void> check_unsigned(const LogEntry& entry, const std::string& shown) {
    if (entry.integrated_time != 0) return mismatch(shown, "the log did not sign the time that it gives");
    if (entry.version == "0.0.2" && entry.log_index != entry.proof.index) {
        return mismatch(shown, "the log's entry is at another place than its proof");
    }
    return {};
}

// The time at which the log took the entry up; nothing if it did not sign one.
Result<std::optional<std::int64_t>> check_entry(const LogEntry& entry, const TrustedRoot::Log& log,
                                                const Bundle& bundle, const std::string& shown) {
    MODELSEAL_TRY(usable(log, shown));
    if (!in_tree(entry)) return mismatch(shown, "the log does not prove that it holds the signature");
    if (!checkpoint_holds(entry, log)) return mismatch(shown, "the log did not sign the tree of its proof");
    MODELSEAL_TRY_ASSIGN(const auto body, read_log_body(entry, shown));
    if (!is_about(body, bundle)) return mismatch(shown, "the log's entry is about something else");
    if (entry.promise.empty()) {
        MODELSEAL_TRY(check_unsigned(entry, shown));
        return std::optional<std::int64_t>();
    }
    if (!promise_holds(entry, log))
        return mismatch(shown, "the log did not sign when it took the signature up");
    return std::optional(static_cast<std::int64_t>(entry.integrated_time));
}

Result<std::int64_t> check_timestamp(const Bytes& stamp, const Bundle& bundle, const TrustedRoot& root,
                                     const std::string& shown) {
    Result<std::int64_t> at = mismatch(shown, "its timestamp is of no authority that the trusted root knows");
    for (const auto& authority : root.timestamp_authorities) {
        at = crypto::verify_timestamp(stamp, bundle.signature, authority.chain, shown);
        if (at.ok() && !authority.valid.covers(*at)) {
            at = mismatch(shown, "its timestamp authority was not in use then");
        }
        if (at.ok()) break;
    }
    return at;
}

// Every time that somebody trusted gives the signature.
Result<std::vector<std::int64_t>> times_of(const Bundle& bundle, const TrustedRoot& root,
                                           const std::string& shown) {
    std::vector<std::int64_t> times;
    std::vector<const TrustedRoot::Log*> logs;
    for (const auto& entry : bundle.log) {
        const auto log = std::ranges::find(root.logs, entry.log_id, &TrustedRoot::Log::id);
        if (log == root.logs.end()) return mismatch(shown, "its log is none that the trusted root knows");
        MODELSEAL_TRY_ASSIGN(const auto at, check_entry(entry, *log, bundle, shown));
        if (at) times.push_back(*at);
        logs.push_back(&*log);
    }
    for (const auto& stamp : bundle.timestamps) {
        MODELSEAL_TRY_ASSIGN(const auto at, check_timestamp(stamp, bundle, root, shown));
        times.push_back(at);
    }
    if (times.empty()) return mismatch(shown, "nobody says when it was made");
    for (const auto* log : logs) {
        for (const auto at : times) {
            if (!log->valid.covers(at)) return mismatch(shown, "the log's key was not in use then");
        }
    }
    return times;
}

// The certificate that signed the leaf.
Result<Certificate> check_chain(const Certificate& leaf, const TrustedRoot& root, std::int64_t at,
                                const std::string& shown) {
    Result<std::vector<Certificate>> led =
        mismatch(shown, "no authority of the trusted root was in use at " + io::rfc3339(at));
    for (const auto& authority : root.authorities) {
        if (!authority.valid.covers(at)) continue;
        led = crypto::verify_chain({leaf}, authority.chain, at, shown);
        if (led.ok()) break;
    }
    if (!led.ok()) return std::move(led).error();
    return led->size() > 1 ? (*led)[1] : leaf;
}

Result<void> check_identity(const Certificate& leaf, const VerifyOptions& options, const std::string& shown) {
    const auto names = leaf.alternative_names();
    if (std::ranges::find(names, options.identity) == names.end()) {
        return mismatch(shown,
                        fmt::format("signed by {}, not by {}",
                                    names.empty() ? "nobody" : "'" + util::printable(names.front()) + "'",
                                    util::printable(options.identity)));
    }
    const auto issuer = crypto::identity_issuer(leaf);
    if (issuer == options.issuer) return {};
    return mismatch(shown, fmt::format("the identity was vouched for by '{}', not by {}",
                                       util::printable(issuer), util::printable(options.issuer)));
}

}  // namespace

Result<Signer> by_identity(const Bundle& bundle, const VerifyOptions& options, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto root, load_trusted_root(options.trusted_root));
    MODELSEAL_TRY_ASSIGN(const auto leaf, Certificate::of_der(bundle.certificates.front(), shown));
    MODELSEAL_TRY_ASSIGN(const auto key, leaf.key(shown));
    MODELSEAL_TRY(holds(key, bundle, shown));
    MODELSEAL_TRY_ASSIGN(const auto times, times_of(bundle, root, shown));
    for (const auto at : times) {
        MODELSEAL_TRY_ASSIGN(const auto issuer, check_chain(leaf, root, at, shown));
        MODELSEAL_TRY(check_logged(leaf, issuer, root, shown));
    }
    MODELSEAL_TRY(check_identity(leaf, options, shown));
    return Signer{.name = options.identity, .timestamp = io::rfc3339(std::ranges::min(times))};
}

}  // namespace modelseal::oms
