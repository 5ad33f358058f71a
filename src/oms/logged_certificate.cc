#include "oms/logged_certificate.h"

#include <algorithm>

#include "crypto/sct.h"

namespace modelseal::oms {
namespace {

Error not_logged(const std::string& shown, const std::string& what) {
    return {ErrorKind::mismatch, shown + ": " + what, {}};
}

Result<void> check_sct(const crypto::Sct& sct, const TrustedRoot::Log& log,
                       const crypto::Certificate& certificate, const crypto::Certificate& issuer,
                       const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto* key, usable(log, shown));
    if (!log.valid.covers(static_cast<std::int64_t>(sct.milliseconds / 1000))) {
        return not_logged(shown, "the key of the certificate's log was not in use then");
    }
    MODELSEAL_TRY_ASSIGN(const auto entry, crypto::signed_entry(sct, certificate, issuer, shown));
    if (sct.ecdsa_sha256 && key->verify(entry, sct.signature)) return {};
    return not_logged(shown, "a log did not sign that it took the certificate up");
}

}  // namespace

Result<void> check_logged(const crypto::Certificate& certificate, const crypto::Certificate& issuer,
                          const TrustedRoot& root, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto scts, crypto::embedded_scts(certificate, shown));
    if (scts.empty()) return not_logged(shown, "no log says that it took the certificate up");
    std::size_t known = 0;
    for (const auto& sct : scts) {
        const auto log = std::ranges::find(root.certificate_logs, sct.log_id, &TrustedRoot::Log::id);
        if (log == root.certificate_logs.end()) continue;
        MODELSEAL_TRY(check_sct(sct, *log, certificate, issuer, shown));
        ++known;
    }
    if (known > 0) return {};
    return not_logged(shown, "the log of its certificate is none that the trusted root knows");
}

}  // namespace modelseal::oms
