#include "oms/authenticate.h"

#include <fmt/format.h>

#include "crypto/certificates.h"
#include "crypto/timestamp.h"
#include "io/rfc3339.h"
#include "oms/keyless.h"
#include "oms/statement.h"
#include "util/text.h"

namespace modelseal::oms {
namespace {

using crypto::Certificate;

Error not_authentic(const std::string& shown, std::string what, std::string hint = {}) {
    return {ErrorKind::mismatch, shown + ": " + std::move(what), std::move(hint)};
}

// A bundle may say which key it wants; one that does not is tried with each.
Result<Signer> by_key(const Bundle& bundle, const VerifyOptions& options, const std::string& shown) {
    Result<Signer> last =
        not_authentic(shown, "signed with another key than given",
                      "its public key, as openssl prints it, has the SHA-256 that 'hint' says");
    for (const auto& file : options.public_keys) {
        MODELSEAL_TRY_ASSIGN(const auto key, crypto::load_ec_public_key(file));
        if (!bundle.hint.empty() && bundle.hint != key.hint()) continue;
        auto good = holds(key, bundle, shown);
        if (good.ok()) return Signer{.name = key.hint()};
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
    Result<std::int64_t> last = not_authentic(shown, "no timestamp in it");
    for (const auto& stamp : bundle.timestamps) {
        last = crypto::verify_timestamp(stamp, bundle.signature, authorities, shown);
        if (last.ok()) break;
    }
    return last;
}

// The chain must hold now, or have held at a time that an authority vouches for.
Result<std::string> check_chain(const std::vector<Certificate>& chain, const Bundle& bundle,
                                const VerifyOptions& options, std::int64_t now, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto anchors, load_all(options.anchors));
    MODELSEAL_TRY_ASSIGN(const auto authorities, load_all(options.timestamp_anchors));
    auto holds_now = crypto::verify_chain(chain, anchors, now, shown);
    if (holds_now.ok()) return std::string();
    if (authorities.empty() || bundle.timestamps.empty()) return std::move(holds_now).error();
    MODELSEAL_TRY_ASSIGN(const auto at, time_of(bundle, authorities, shown));
    if (at > now)
        return not_authentic(shown, fmt::format("its timestamp is of the future: {}", io::rfc3339(at)));
    MODELSEAL_TRY(crypto::verify_chain(chain, anchors, at, shown));
    return io::rfc3339(at);
}

Result<Signer> by_certificate(const Bundle& bundle, const VerifyOptions& options, std::int64_t now,
                              const std::string& shown) {
    std::vector<Certificate> chain;
    for (const auto& der : bundle.certificates) {
        MODELSEAL_TRY_ASSIGN(auto certificate, Certificate::of_der(der, shown));
        chain.push_back(std::move(certificate));
    }
    MODELSEAL_TRY_ASSIGN(const auto key, chain.front().key(shown));
    MODELSEAL_TRY(holds(key, bundle, shown));
    Signer signer{.name = chain.front().subject()};
    MODELSEAL_TRY_ASSIGN(signer.timestamp, check_chain(chain, bundle, options, now, shown));
    if (!options.subject.empty() && signer.name != options.subject) {
        return not_authentic(
            shown, fmt::format("signed by '{}', expected '{}'", signer.name, util::printable(options.subject)));
    }
    return signer;
}

}  // namespace

Result<void> holds(const crypto::EcPublicKey& key, const Bundle& bundle, const std::string& shown) {
    if (key.verify(pre_authentication_encoding(bundle.payload), bundle.signature)) return {};
    // Release 0.2.0 signed something else, which is believed only of what it wrote.
    if (claims_0_2_0(bundle.payload) &&
        key.verify(encoding_of_0_2_0(bundle.payload), bundle.signature, crypto::HashChoice::sha256)) {
        return {};
    }
    return not_authentic(shown, "the signature does not hold: forged, damaged, or made with another key");
}

Result<Signer> authenticate(const Bundle& bundle, const VerifyOptions& options, std::int64_t now,
                            const std::string& shown) {
    const bool key = !options.public_keys.empty(), chain = !options.anchors.empty();
    const bool keyless = !options.trusted_root.empty();
    if (key + chain + keyless != 1) {
        return Error{ErrorKind::usage,
                     "one of a public key, certificates to trust and a trusted root is needed",
                     "give --pub PEM, --cert-chain PEM, or --trusted-root JSON"};
    }
    if (!options.subject.empty() && !chain) {
        return Error{ErrorKind::usage, "only a certificate has a subject",
                     "give --cert-chain with --subject, and --identity with --trusted-root"};
    }
    if (keyless && (options.identity.empty() || options.issuer.empty())) {
        return Error{ErrorKind::usage, "a trusted root vouches for everybody: who must have signed?",
                     "give --identity and --issuer"};
    }
    switch (bundle.method) {
        case Bundle::Method::key:
            if (key) return by_key(bundle, options, shown);
            return not_authentic(shown, "signed with a bare key", "give the key with --pub");
        case Bundle::Method::certificate:
            if (chain) return by_certificate(bundle, options, now, shown);
            return not_authentic(shown, "signed with a certificate",
                                 "give the certificate of the authority that you trust with --cert-chain");
        case Bundle::Method::sigstore:
            if (keyless) return by_identity(bundle, options, shown);
            break;
    }
    return not_authentic(shown, "signed with an identity (keyless, Sigstore)",
                         "give --trusted-root, --identity and --issuer");
}

}  // namespace modelseal::oms
