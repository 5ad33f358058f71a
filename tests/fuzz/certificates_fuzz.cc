// Files of certificates from anywhere: what is read can be asked everything, and leads to no anchor that is not
// among them.
#include <cstdint>
#include <string_view>

#include "crypto/x509/certificates.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace modelseal;

void ask(const crypto::Certificate& certificate) {
    static_cast<void>(certificate.subject() + certificate.issuer() + crypto::identity_issuer(certificate));
    static_cast<void>(certificate.alternative_names());
    const auto again = crypto::Certificate::of_der(certificate.der(), "fuzz");
    if (!again.ok() || again->der() != certificate.der())
        test::finding("a certificate that does not come back");
    const auto key = certificate.key("fuzz");
    if (!key.ok()) test::must_be_fair(key.error());
    const auto sign = crypto::may_sign(certificate, certificate.not_before(), "fuzz");
    if (!sign.ok()) test::must_be_fair(sign.error());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto chain = crypto::Certificate::of_pem({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (!chain.ok()) {
        test::must_be_fair(chain.error());
        return 0;
    }
    for (const auto& certificate : *chain) ask(certificate);
    const auto led = crypto::verify_chain(*chain, *chain, chain->front().not_before(), "fuzz");
    if (!led.ok()) test::must_be_fair(led.error());
    if (crypto::verify_chain(*chain, {}, chain->front().not_before(), "fuzz").ok()) {
        test::finding("a chain without an anchor");
    }
    return 0;
}
