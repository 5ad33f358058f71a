#include "oms/authenticate.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/keys/pem.h"
#include "crypto/x509/certificates.h"
#include "crypto/x509/timestamp.h"
#include "io/rfc3339.h"
#include "oms/log.h"
#include "oms/statement.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

using crypto::Certificate;

Error not_authentic(const std::string& shown, std::string what, std::string hint = {},
                    Remedy remedy = Remedy::none) {
    return {ErrorKind::mismatch, shown + ": " + std::move(what), std::move(hint), remedy};
}

// "key 63527ae0..., key ..."; of many, how many.
std::string list_of(const std::vector<PublicKey>& keys) {
    constexpr std::size_t kMostListed = 8;
    if (keys.size() > kMostListed) return util::counted(keys.size(), "key");
    std::vector<std::string> ids;
    for (const auto& key : keys) ids.push_back(to_hex(key.id()));
    return fmt::format("key {}", fmt::join(ids, ", "));
}

// A bundle may name its key; one that does not is tried with each.
Result<Signer> by_key(const Bundle& bundle, const SignatureCheck& check, const std::string& shown) {
    const auto named = key_id_of_hint(bundle.hint);
    Result<Signer> last = not_authentic(
        shown, fmt::format("signed with key {}; given: {}",
                           named.empty() ? util::printable(bundle.hint) : named, list_of(check.public_keys)));
    for (const auto& key : check.public_keys) {
        if (!bundle.hint.empty() && bundle.hint != crypto::pem_digest(key)) continue;
        auto good = holds(key, bundle, shown);
        if (good.ok()) return Signer{.name = to_hex(key.id())};
        last = std::move(good).error();
    }
    return last;
}

Result<std::vector<Certificate>> load_all(const std::vector<std::string>& files) {
    std::vector<Certificate> all;
    for (const auto& file : files) {
        MODELSEAL_TRY_ASSIGN(auto some, Certificate::load(file));
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

// The time of the first timestamp that holds.
Result<std::int64_t> time_of(const Bundle& bundle, const std::vector<Certificate>& authorities,
                             const std::string& shown) {
    Result<std::int64_t> last = not_authentic(shown, "contains no timestamp");
    for (const auto& stamp : bundle.timestamps) {
        last = crypto::verify_timestamp(stamp, bundle.signature, authorities, shown);
        if (last.ok()) break;
    }
    return last;
}

// The chain must hold now, or have held at a time that an authority vouches for.
Result<std::string> check_chain(const std::vector<Certificate>& chain, const Bundle& bundle,
                                const SignatureCheck& check, std::int64_t now, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto anchors, load_all(check.anchors));
    MODELSEAL_TRY_ASSIGN(const auto authorities, load_all(check.timestamp_anchors));
    auto holds_now = crypto::verify_chain(chain, anchors, now, shown, crypto::Anchors::any_authority);
    if (holds_now.ok()) return std::string();
    if (authorities.empty() || bundle.timestamps.empty()) return std::move(holds_now).error();
    MODELSEAL_TRY_ASSIGN(const auto at, time_of(bundle, authorities, shown));
    if (at > now)
        return not_authentic(shown, fmt::format("its timestamp is in the future: {}", io::rfc3339(at)));
    MODELSEAL_TRY(crypto::verify_chain(chain, anchors, at, shown, crypto::Anchors::any_authority));
    return io::rfc3339(at);
}

Result<Signer> by_certificate(const Bundle& bundle, const SignatureCheck& check, std::int64_t now,
                              const std::string& shown) {
    std::vector<Certificate> chain;
    for (const auto& der : bundle.certificates) {
        MODELSEAL_TRY_ASSIGN(auto certificate, Certificate::of_der(der, shown));
        chain.push_back(std::move(certificate));
    }
    MODELSEAL_TRY_ASSIGN(const auto key, chain.front().key(shown));
    MODELSEAL_TRY(holds(key, bundle, shown));
    Signer signer{.name = chain.front().subject()};
    MODELSEAL_TRY_ASSIGN(signer.timestamp, check_chain(chain, bundle, check, now, shown));
    if (!check.subject.empty() && signer.name != check.subject) {
        return not_authentic(
            shown, fmt::format("signed by '{}', expected '{}'", signer.name, util::printable(check.subject)));
    }
    return signer;
}

}  // namespace

std::string key_id_of_hint(std::string_view hint) {
    constexpr std::size_t kDigest = 64, kId = 16;  // hexadecimal digits
    const bool digest =
        hint.size() == kDigest && hint.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return digest ? std::string(hint.substr(0, kId)) : std::string();
}

Result<void> holds(const PublicKey& key, const Bundle& bundle, const std::string& shown) {
    if (crypto::ecdsa_verify(key, pre_authentication_encoding(bundle.payload), bundle.signature)) return {};
    // Release 0.2.0 signed other bytes, which are accepted only for its own statements.
    if (claims_0_2_0(bundle.payload) && crypto::ecdsa_verify(key, encoding_of_0_2_0(bundle.payload),
                                                             bundle.signature, crypto::HashChoice::sha256)) {
        return {};
    }
    return not_authentic(shown, fmt::format("the signature is not valid under key {}: forged, damaged, or made "
                                            "with another key",
                                            to_hex(key.id())));
}

Result<Signer> authenticate(const Bundle& bundle, const SignatureCheck& check, std::int64_t now,
                            const std::string& shown) {
    const bool key = !check.public_keys.empty(), chain = !check.anchors.empty();
    const bool keyless = !check.trusted_root.empty();
    if (key + chain + keyless != 1) {
        return Error{ErrorKind::usage,
                     "exactly one is needed of a public key, trusted certificates and a trusted root",
                     "give the signer's public key, an authority's certificate, or a trusted root",
                     Remedy::trust_signer};
    }
    if (!check.subject.empty() && !chain) {
        return Error{ErrorKind::usage, "only a certificate has a subject",
                     "give a subject with an authority's certificate, and an identity with a trusted root"};
    }
    if (keyless && (check.identity.empty() || check.issuer.empty())) {
        return Error{ErrorKind::usage,
                     "a trusted root alone accepts every signer: the expected identity is missing",
                     "give the identity and its issuer", Remedy::trust_identity};
    }
    for (const auto& each : check.public_keys) {
        MODELSEAL_TRY(must_serve(each, KeyUse::file_signatures, "key " + to_hex(each.id())));
    }
    switch (bundle.method) {
        case Bundle::Method::key:
            if (key) return by_key(bundle, check, shown);
            return not_authentic(shown, "signed with a key, not with a certificate",
                                 "give the signer's public key", Remedy::trust_signer);
        case Bundle::Method::certificate:
            if (chain) return by_certificate(bundle, check, now, shown);
            return not_authentic(shown, "signed with a certificate",
                                 "give the certificate of an authority that you trust",
                                 Remedy::trust_authority);
        case Bundle::Method::sigstore:
            if (keyless) return by_identity(bundle, check, shown);
            break;
    }
    return not_authentic(shown, "signed with an identity (keyless, Sigstore)",
                         "give a trusted root, and the identity and its issuer", Remedy::trust_identity);
}

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
    if (entry.integrated_time != 0) return mismatch(shown, "the log's signature over its time is not valid");
    if (entry.version == "0.0.2" && entry.log_index != entry.proof.index) {
        return mismatch(shown, "the index of the log's entry differs from that of its proof");
    }
    return {};
}

// The time at which the log took the entry up; nothing if it did not sign one.
Result<std::optional<std::int64_t>> check_entry(const LogEntry& entry, const TrustedRoot::Log& log,
                                                const Bundle& bundle, const std::string& shown) {
    MODELSEAL_TRY(usable(log, shown));
    if (!in_tree(entry)) return mismatch(shown, "the log's proof of inclusion is not valid");
    if (!checkpoint_holds(entry, log))
        return mismatch(shown, "the log's signature over the tree of its proof is not valid");
    MODELSEAL_TRY_ASSIGN(const auto body, read_log_body(entry, shown));
    if (!is_about(body, bundle)) return mismatch(shown, "the log's entry is about another signature");
    if (entry.promise.empty()) {
        MODELSEAL_TRY(check_unsigned(entry, shown));
        return std::optional<std::int64_t>();
    }
    if (!promise_holds(entry, log))
        return mismatch(shown, "the log's signature over the time of inclusion is missing");
    return std::optional(static_cast<std::int64_t>(entry.integrated_time));
}

Result<std::int64_t> check_timestamp(const Bytes& stamp, const Bundle& bundle, const TrustedRoot& root,
                                     const std::string& shown) {
    Result<std::int64_t> at = mismatch(shown, "the authority of its timestamp is not in the trusted root");
    for (const auto& authority : root.timestamp_authorities) {
        at = crypto::verify_timestamp(stamp, bundle.signature, authority.chain, shown);
        if (at.ok() && !authority.valid.covers(*at)) {
            at = mismatch(shown, "its timestamp authority was not in use at that time");
        }
        if (at.ok()) break;
    }
    return at;
}

// All times of the signature that trusted parties state.
Result<std::vector<std::int64_t>> times_of(const Bundle& bundle, const TrustedRoot& root,
                                           const std::string& shown) {
    std::vector<std::int64_t> times;
    std::vector<const TrustedRoot::Log*> logs;
    for (const auto& entry : bundle.log) {
        const auto log = std::ranges::find(root.logs, entry.log_id, &TrustedRoot::Log::id);
        if (log == root.logs.end()) return mismatch(shown, "its log is not in the trusted root");
        MODELSEAL_TRY_ASSIGN(const auto at, check_entry(entry, *log, bundle, shown));
        if (at) times.push_back(*at);
        logs.push_back(&*log);
    }
    for (const auto& stamp : bundle.timestamps) {
        MODELSEAL_TRY_ASSIGN(const auto at, check_timestamp(stamp, bundle, root, shown));
        times.push_back(at);
    }
    if (times.empty()) return mismatch(shown, "it has no trusted time of signing");
    for (const auto* log : logs) {
        for (const auto at : times) {
            if (!log->valid.covers(at)) return mismatch(shown, "the log's key was not in use at that time");
        }
    }
    return times;
}

// The certificate that signed the leaf.
Result<Certificate> check_chain(const Certificate& leaf, const TrustedRoot& root, std::int64_t at,
                                const std::string& shown) {
    Result<std::vector<Certificate>> led =
        mismatch(shown, "the trusted root has no authority that was in use at " + io::rfc3339(at));
    for (const auto& authority : root.authorities) {
        if (!authority.valid.covers(at)) continue;
        led = crypto::verify_chain({leaf}, authority.chain, at, shown);
        if (led.ok()) break;
    }
    if (!led.ok()) return std::move(led).error();
    return led->size() > 1 ? (*led)[1] : leaf;
}

Result<void> check_identity(const Certificate& leaf, const SignatureCheck& check, const std::string& shown) {
    const auto names = leaf.alternative_names();
    if (std::ranges::find(names, check.identity) == names.end()) {
        return mismatch(shown,
                        fmt::format("signed by {}, expected {}",
                                    names.empty() ? "nobody" : "'" + util::printable(names.front()) + "'",
                                    util::printable(check.identity)));
    }
    const auto issuer = crypto::identity_issuer(leaf);
    if (issuer == check.issuer) return {};
    return mismatch(shown, fmt::format("the identity was authenticated by '{}', expected {}",
                                       util::printable(issuer), util::printable(check.issuer)));
}

}  // namespace

Result<Signer> by_identity(const Bundle& bundle, const SignatureCheck& check, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto root, load_trusted_root(check.trusted_root));
    MODELSEAL_TRY_ASSIGN(const auto leaf, Certificate::of_der(bundle.certificates.front(), shown));
    MODELSEAL_TRY_ASSIGN(const auto key, leaf.key(shown));
    MODELSEAL_TRY(holds(key, bundle, shown));
    MODELSEAL_TRY_ASSIGN(const auto times, times_of(bundle, root, shown));
    for (const auto at : times) {
        MODELSEAL_TRY_ASSIGN(const auto issuer, check_chain(leaf, root, at, shown));
        MODELSEAL_TRY(check_logged(leaf, issuer, root, shown));
    }
    MODELSEAL_TRY(check_identity(leaf, check, shown));
    return Signer{.name = check.identity, .timestamp = io::rfc3339(std::ranges::min(times))};
}

}  // namespace modelseal::oms
