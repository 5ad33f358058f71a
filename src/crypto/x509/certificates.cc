
#include "crypto/x509/certificates.h"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "crypto/keys/evp_keys.h"
#include "crypto/x509/certificate_handle.h"
#include "io/file_kind.h"
#include "io/rfc3339.h"
#include "util/text.h"

namespace modelseal::crypto {
namespace {

constexpr std::uint64_t kMaxPemFile = 1u << 20;
constexpr std::size_t kMaxCertificates = 1024;
constexpr int kMaxDepth = 16;

std::string name_text(const X509_NAME* name) {
    const openssl::Bio bio(BIO_new(BIO_s_mem()));
    if (X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) return {};
    char* text = nullptr;
    const auto length = BIO_get_mem_data(bio.get(), &text);
    return util::printable({text, static_cast<std::size_t>(length)});
}

std::int64_t seconds_of(const ASN1_TIME* time) {
    tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return ::timegm(&parts);
}

struct Help {
    std::string hint;
    Remedy remedy = Remedy::none;
};

Error refused(const std::string& shown, const std::string& why, const Help& help = {}) {
    return {ErrorKind::mismatch, shown + ": " + why, help.hint, help.remedy};
}

// The usage that the certificate limits itself to. Without either extension, it says nothing.
Result<void> usage_allows(X509* leaf, const std::string& shown) {
    const auto flags = X509_get_extension_flags(leaf);
    const bool usage = (flags & EXFLAG_KUSAGE) != 0, extended = (flags & EXFLAG_XKUSAGE) != 0;
    if (!usage && !extended) return refused(shown, "the certificate does not permit signing");
    if (usage && (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0) {
        return refused(shown, "the certificate's key usage does not include digital signatures");
    }
    if (extended && (X509_get_extended_key_usage(leaf) & (XKU_CODE_SIGN | XKU_ANYEKU)) == 0) {
        return refused(shown, "the certificate's extended key usage does not include code signing");
    }
    return {};
}

// Called by OpenSSL for each certificate of a chain. What the extended key usage of an authority leaves out
// binds those below it (as browsers and code signing read RFC 5280, 4.2.1.12): an authority for servers does
// not make signers of models. OpenSSL checks it for the leaf alone.
template <std::uint32_t usage>
int authority_allows(int good, X509_STORE_CTX* context) {
    X509* certificate = X509_STORE_CTX_get_current_cert(context);
    if (good != 1 || certificate == nullptr || X509_STORE_CTX_get_error_depth(context) == 0) return good;
    const bool limited = (X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) != 0;
    if (!limited || (X509_get_extended_key_usage(certificate) & (usage | XKU_ANYEKU)) != 0) return good;
    X509_STORE_CTX_set_error(context, X509_V_ERR_INVALID_PURPOSE);
    return 0;
}

Help help_for(int code) {
    switch (code) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return {"give the certificate of an authority that you trust", Remedy::trust_authority};
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return {"an expired certificate needs a timestamp of a trusted authority",
                    Remedy::trust_timestamps};
        default:
            return {};
    }
}

Error chain_error(X509_STORE_CTX* context, const Certificate& leaf, std::int64_t at, const std::string& shown) {
    const int code = X509_STORE_CTX_get_error(context), depth = X509_STORE_CTX_get_error_depth(context);
    if (code == X509_V_ERR_INVALID_PURPOSE && depth > 0) {
        const auto* authority = X509_get_subject_name(X509_STORE_CTX_get_current_cert(context));
        return refused(shown,
                       fmt::format("the extended key usage of the authority '{}' does not include code signing",
                                   name_text(authority)));
    }
    const auto which = depth == 0 ? leaf.subject()
                                  : fmt::format("the certificate {} above it",
                                                util::counted(static_cast<std::uint64_t>(depth), "level"));
    return refused(
        shown,
        fmt::format("its certificate is not valid at {}: {} ({})", io::rfc3339(std::max<std::int64_t>(at, 0)),
                    X509_verify_cert_error_string(code), which),
        help_for(code));
}

}  // namespace

Certificate Certificate::of(x509_st* x509) {
    if (X509_up_ref(x509) != 1) throw std::bad_alloc();
    return Certificate(
        std::make_shared<const CertificateHandle>(CertificateHandle{openssl::X509Pointer(x509)}));
}

Result<Certificate> Certificate::of_der(std::span<const std::byte> der, const std::string& shown) {
    const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
    const auto* at = begin;
    openssl::X509Pointer x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    const auto reason = openssl::last_error();
    if (!x509 || at != begin + der.size()) {
        return Error{ErrorKind::malformed, shown + ": invalid certificate: " + reason, {}};
    }
    return Certificate(std::make_shared<const CertificateHandle>(CertificateHandle{std::move(x509)}));
}

Result<std::vector<Certificate>> Certificate::of_pem(std::string_view text, const std::string& shown) {
    const openssl::Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    std::vector<Certificate> found;
    char *label = nullptr, *header = nullptr;
    unsigned char* body = nullptr;
    long size = 0;
    while (PEM_read_bio(bio.get(), &label, &header, &body, &size) == 1) {
        const std::string kind = label;
        const std::span raw(body, static_cast<std::size_t>(size));
        const std::vector<std::byte> der(std::as_bytes(raw).begin(), std::as_bytes(raw).end());
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(body, static_cast<std::size_t>(size));
        if (kind != "CERTIFICATE") {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: contains a PEM block '{}'; certificates are needed", shown,
                                     util::printable(kind)),
                         {}};
        }
        MODELSEAL_TRY_ASSIGN(auto certificate, of_der(der, shown));
        found.push_back(std::move(certificate));
        if (found.size() > kMaxCertificates) {
            return Error{ErrorKind::unsupported,
                         fmt::format("{}: more than {} certificates", shown, kMaxCertificates),
                         {}};
        }
    }
    const bool clean_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const auto reason = openssl::last_error();
    if (!clean_end) return Error{ErrorKind::malformed, shown + ": invalid PEM: " + reason, {}};
    if (found.empty()) return io::mistaken("certificate", shown, text, text.size());
    return found;
}

Result<std::vector<Certificate>> Certificate::load(const std::string& path) {
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(path, kMaxPemFile, "certificate"));
    return of_pem(text, util::printable(path));
}

std::vector<std::byte> Certificate::der() const {
    unsigned char* raw = nullptr;
    const int size = i2d_X509(handle_->x509.get(), &raw);
    if (size < 0) throw std::bad_alloc();
    const auto bytes = std::as_bytes(std::span(raw, static_cast<std::size_t>(size)));
    std::vector<std::byte> out(bytes.begin(), bytes.end());
    OPENSSL_free(raw);
    return out;
}

std::string Certificate::subject() const {
    return name_text(X509_get_subject_name(handle_->x509.get()));
}
std::string Certificate::issuer() const {
    return name_text(X509_get_issuer_name(handle_->x509.get()));
}
std::vector<std::string> Certificate::alternative_names() const {
    std::vector<std::string> out;
    auto* names = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(handle_->x509.get(), NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const auto* name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_EMAIL && name->type != GEN_URI) continue;
        const auto* text = name->d.ia5;
        out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<std::size_t>(ASN1_STRING_length(text)));
    }
    GENERAL_NAMES_free(names);
    openssl::take_notes();
    return out;
}

std::string Certificate::text_extension(const char* oid) const {
    const std::unique_ptr<ASN1_OBJECT, openssl::Deleter<ASN1_OBJECT_free>> object(OBJ_txt2obj(oid, 1));
    const int at = object ? X509_get_ext_by_OBJ(handle_->x509.get(), object.get(), -1) : -1;
    if (at < 0) return {};
    const auto* data = X509_EXTENSION_get_data(X509_get_ext(handle_->x509.get(), at));
    const std::string raw(reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)),
                          static_cast<std::size_t>(ASN1_STRING_length(data)));
    // UTF8String of up to 127 bytes; anything else is taken as it is.
    const bool wrapped =
        raw.size() >= 2 && raw[0] == '\x0c' && static_cast<std::size_t>(raw[1]) == raw.size() - 2;
    return wrapped ? raw.substr(2) : raw;
}

std::int64_t Certificate::not_before() const {
    return seconds_of(X509_get0_notBefore(handle_->x509.get()));
}
std::int64_t Certificate::not_after() const {
    return seconds_of(X509_get0_notAfter(handle_->x509.get()));
}

Result<PublicKey> Certificate::key(const std::string& shown) const {
    const auto* key = X509_get0_pubkey(handle_->x509.get());
    if (key == nullptr) {
        return Error{
            ErrorKind::malformed, shown + ": the certificate has no usable key: " + openssl::last_error(), {}};
    }
    MODELSEAL_TRY_ASSIGN(const auto open, public_key_of(key, shown));
    MODELSEAL_TRY(must_serve(open, KeyUse::file_signatures, shown));
    return open;
}

std::string identity_issuer(const Certificate& certificate) {
    // A UTF8String; bare bytes in older certificates.
    for (const char* oid : {"1.3.6.1.4.1.57264.1.8", "1.3.6.1.4.1.57264.1.1"}) {
        if (auto issuer = certificate.text_extension(oid); !issuer.empty()) return issuer;
    }
    return {};
}

openssl::Store store_of(const std::vector<Certificate>& anchors, std::int64_t at, Purpose purpose) {
    openssl::Store store(X509_STORE_new());
    if (!store) throw std::bad_alloc();
    for (const auto& anchor : anchors) {
        if (X509_STORE_add_cert(store.get(), anchor.handle().x509.get()) != 1) throw std::bad_alloc();
    }
    auto* parameters = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(at));
    X509_VERIFY_PARAM_set_depth(parameters, kMaxDepth);
    X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
    X509_STORE_set_verify_cb(store.get(), purpose == Purpose::code_signing ? authority_allows<XKU_CODE_SIGN>
                                                                           : authority_allows<XKU_TIMESTAMP>);
    return store;
}

openssl::BorrowedStack stack_of(std::span<const Certificate> certificates) {
    openssl::BorrowedStack stack(sk_X509_new_null());
    if (!stack) throw std::bad_alloc();
    for (const auto& each : certificates) {
        if (sk_X509_push(stack.get(), each.handle().x509.get()) == 0) throw std::bad_alloc();
    }
    return stack;
}

Result<void> may_sign(const Certificate& certificate, std::int64_t at, const std::string& shown) {
    if (at < certificate.not_before()) return refused(shown, "the certificate is not valid yet");
    if (at > certificate.not_after()) return refused(shown, "the certificate has expired");
    return usage_allows(certificate.handle().x509.get(), shown);
}

namespace {

// Trust in some certificate of a chain is asked for explicitly, and never in a leaf.
std::vector<Certificate> authorities_among(const std::vector<Certificate>& anchors) {
    std::vector<Certificate> found;
    std::ranges::copy_if(anchors, std::back_inserter(found),
                         [](const Certificate& each) { return X509_check_ca(each.handle().x509.get()) == 1; });
    return found;
}

// X509_V_OK, or why not.
struct Outcome {
    openssl::Store store;
    openssl::BorrowedStack others;
    openssl::StoreContext context;
    int code = X509_V_ERR_UNSPECIFIED;
};

Outcome build_chain(const std::vector<Certificate>& chain, const std::vector<Certificate>& anchors,
                    std::int64_t at, Anchors which) {
    Outcome out{.store = store_of(anchors, at, Purpose::code_signing),
                .others = stack_of(std::span(chain).subspan(1)),
                .context = openssl::StoreContext(X509_STORE_CTX_new())};
    if (which == Anchors::any_authority) X509_STORE_set_flags(out.store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    auto* leaf = chain.front().handle().x509.get();
    if (!out.context || X509_STORE_CTX_init(out.context.get(), out.store.get(), leaf, out.others.get()) != 1)
        throw std::bad_alloc();
    out.code =
        X509_verify_cert(out.context.get()) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(out.context.get());
    openssl::take_notes();
    return out;
}

bool lacks_issuer(int code) {
    return code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY || code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
}

}  // namespace

Result<std::vector<Certificate>> verify_chain(const std::vector<Certificate>& chain,
                                              const std::vector<Certificate>& anchors, std::int64_t at,
                                              const std::string& shown, Anchors which) {
    if (chain.empty()) return Error{ErrorKind::malformed, shown + ": is not a certificate", {}};
    auto built = build_chain(chain, anchors, at, Anchors::self_signed);
    if (which == Anchors::any_authority && lacks_issuer(built.code)) {
        auto partial = build_chain(chain, authorities_among(anchors), at, which);
        if (!lacks_issuer(partial.code)) built = std::move(partial);
    }
    if (built.code != X509_V_OK) return chain_error(built.context.get(), chain.front(), at, shown);
    MODELSEAL_TRY(usage_allows(chain.front().handle().x509.get(), shown));
    std::vector<Certificate> led;
    const auto* found = X509_STORE_CTX_get0_chain(built.context.get());
    for (int i = 0; i < sk_X509_num(found); ++i) led.push_back(Certificate::of(sk_X509_value(found, i)));
    return led;
}

}  // namespace modelseal::crypto
