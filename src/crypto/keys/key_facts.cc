#include "crypto/keys/key_facts.h"

#include <ctime>
#include <optional>

#include "crypto/keys/check_key.h"
#include "crypto/keys/evp_keys.h"
#include "crypto/keys/pem.h"
#include "crypto/openssl.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal::crypto {
namespace {

using X509Certificate = std::unique_ptr<X509, openssl::Deleter<X509_free>>;

// The id of the public half, which a secret key contains. Empty for types that keys.h does not have.
std::string id_of(const EVP_PKEY* key) {
    const auto open = public_key_of(key, "");
    return open.ok() ? to_hex(open->id()) : std::string();
}

std::string name_text(const X509_NAME* name) {
    const openssl::Bio bio(BIO_new(BIO_s_mem()));
    if (X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
    char* text = nullptr;
    const auto length = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(length));
}

std::string time_text(const ASN1_TIME* time) {
    tm parts{};
    char text[32] = "";
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

using Parsed = std::optional<KeyFacts>;

Parsed secret_facts(const PemBlock& block) {
    const unsigned char* at = block.body().data();
    const openssl::Key key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(block.body().size())));
    if (!key) return std::nullopt;
    return KeyFacts{
        .half = KeyFacts::Half::secret, .algorithm = algorithm_of(key.get()), .key_id = id_of(key.get())};
}

Parsed open_facts(const PemBlock& block) {
    const unsigned char* at = block.body().data();
    const openssl::Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(block.body().size())));
    if (!key) return std::nullopt;
    return KeyFacts{
        .half = KeyFacts::Half::open, .algorithm = algorithm_of(key.get()), .key_id = id_of(key.get())};
}

Parsed certificate_facts(const PemBlock& block) {
    const unsigned char* at = block.body().data();
    const X509Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(block.body().size())));
    if (!certificate) return std::nullopt;
    KeyFacts facts{.half = KeyFacts::Half::certificate};
    if (const auto* key = X509_get0_pubkey(certificate.get())) {
        facts.algorithm = algorithm_of(key);
        facts.key_id = id_of(key);
    }
    facts.subject = name_text(X509_get_subject_name(certificate.get()));
    facts.issuer = name_text(X509_get_issuer_name(certificate.get()));
    facts.not_after = time_text(X509_get0_notAfter(certificate.get()));
    return facts;
}

Result<KeyFacts> check_facts(std::string_view text, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const auto key, parse_check_key(text, shown));
    return KeyFacts{.half = KeyFacts::Half::check,
                    .algorithm = std::string(name_of(key.vendor.type())),
                    .key_id = to_hex(key.vendor.id()),
                    .customer = key.customer};
}

}  // namespace

Result<KeyFacts> describe_key(std::string_view text, const std::string& shown) {
    MODELSEAL_TRY_ASSIGN(const PemBlock block, PemBlock::parse(text, shown));
    const auto& label = block.label();
    if (label == kCheckKeyLabel) return check_facts(text, shown);
    if (label == "ENCRYPTED PRIVATE KEY" || block.encrypted())
        return KeyFacts{.half = KeyFacts::Half::secret, .encrypted = true};
    Parsed parsed;
    if (label == "CERTIFICATE") {
        parsed = certificate_facts(block);
    } else if (label == "PUBLIC KEY") {
        parsed = open_facts(block);
    } else if (label == "PRIVATE KEY" || label == "EC PRIVATE KEY" || label == "RSA PRIVATE KEY") {
        parsed = secret_facts(block);
    } else {
        return Error{
            ErrorKind::unsupported,
            shown + ": contains a PEM block '" + util::printable(label) + "', which is not a kind of key",
            {}};
    }
    if (!parsed) {
        return Error{ErrorKind::malformed,
                     shown + ": broken PEM block '" + util::printable(label) + "': " + openssl::last_error(),
                     {}};
    }
    return std::move(*parsed);
}

}  // namespace modelseal::crypto
