// OpenSSL reads the lists. Its SCT_validate() cannot check them: it takes the keys of logs from a CTLOG_STORE,
// which OpenSSL 3.0 fills from a configuration file and in no other way, and ours come from a trusted root.

#include "crypto/x509/sct.h"

#include <algorithm>

#include <openssl/ct.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "crypto/hash.h"
#include "crypto/x509/certificate_handle.h"

namespace modelseal::crypto {
namespace {

using Raw = std::span<const std::byte>;
using Bytes = std::vector<std::byte>;
using OctetString = std::unique_ptr<ASN1_OCTET_STRING, openssl::Deleter<ASN1_OCTET_STRING_free>>;
using SctList = std::unique_ptr<STACK_OF(SCT), openssl::Deleter<SCT_LIST_free>>;

constexpr std::uint64_t kVersion1 = 0, kCertificateTimestamp = 0, kPrecertificate = 1;
constexpr std::size_t kLargestCertificate = (1u << 24) - 1;  // the most that a length of three bytes allows

// Numbers as TLS spells them (RFC 5246, section 4): big-endian.
class TlsWriter {
  public:
    TlsWriter& number(std::uint64_t value, std::size_t size) {
        while (size-- > 0) out_.push_back(static_cast<std::byte>(value >> (8 * size) & 0xff));
        return *this;
    }
    TlsWriter& bytes(Raw raw) {
        out_.insert(out_.end(), raw.begin(), raw.end());
        return *this;
    }
    Bytes take() { return std::move(out_); }

  private:
    Bytes out_;
};

Bytes copied(const unsigned char* data, std::size_t size) {
    const auto raw = std::as_bytes(std::span(data, size));
    return {raw.begin(), raw.end()};
}

Sct sct_of(const SCT* sct) {
    unsigned char *log_id = nullptr, *extensions = nullptr, *signature = nullptr;
    const auto log_id_bytes = SCT_get0_log_id(sct, &log_id);
    const auto extension_bytes = SCT_get0_extensions(sct, &extensions);
    const auto signature_bytes = SCT_get0_signature(sct, &signature);
    return {.log_id = copied(log_id, log_id_bytes),
            .milliseconds = SCT_get_timestamp(sct),
            .extensions = copied(extensions, extension_bytes),
            .ecdsa_sha256 = SCT_get_signature_nid(sct) == NID_ecdsa_with_SHA256,
            .signature = copied(signature, signature_bytes)};
}

// i2d: one of OpenSSL's functions that write DER into memory that it allocates.
template <class Object, class Write>
Bytes der_of(Object* object, const Write& write) {
    unsigned char* raw = nullptr;
    const int size = write(object, &raw);
    if (size < 0) throw std::bad_alloc();
    const auto bytes = std::as_bytes(std::span(raw, static_cast<std::size_t>(size)));
    Bytes out(bytes.begin(), bytes.end());
    OPENSSL_free(raw);
    return out;
}

// OpenSSL skips bytes after the signature of an SCT, and does not write them again.
bool is_written_so(const STACK_OF(SCT) * list, Raw bytes) {
    unsigned char* raw = nullptr;
    const int size = i2o_SCT_LIST(list, &raw);
    const bool same =
        size >= 0 && std::ranges::equal(std::as_bytes(std::span(raw, static_cast<std::size_t>(size))), bytes);
    OPENSSL_free(raw);
    openssl::take_notes();
    return same;
}

Error broken(const std::string& shown) {
    return {ErrorKind::malformed, shown + ": the certificate's list of SCTs is invalid", {}};
}

}  // namespace

std::optional<std::vector<Sct>> parse_sct_list(std::span<const std::byte> bytes) {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    const SctList list(o2i_SCT_LIST(nullptr, &at, bytes.size()));
    openssl::take_notes();
    if (!list || sk_SCT_num(list.get()) == 0 || !is_written_so(list.get(), bytes)) return std::nullopt;
    std::vector<Sct> out;
    for (int i = 0; i < sk_SCT_num(list.get()); ++i) {
        const SCT* sct = sk_SCT_value(list.get(), i);
        if (SCT_get_version(sct) == SCT_VERSION_V1) out.push_back(sct_of(sct));
    }
    return out;
}

Result<std::vector<Sct>> embedded_scts(const Certificate& certificate, const std::string& shown) {
    auto* x509 = certificate.handle().x509.get();
    const int at = X509_get_ext_by_NID(x509, NID_ct_precert_scts, -1);
    if (at < 0) return std::vector<Sct>{};
    if (X509_get_ext_by_NID(x509, NID_ct_precert_scts, at) >= 0) return broken(shown);  // two of them
    const auto* value = X509_EXTENSION_get_data(X509_get_ext(x509, at));
    const auto* begin = ASN1_STRING_get0_data(value);
    const auto* end = begin + ASN1_STRING_length(value);
    const OctetString held(d2i_ASN1_OCTET_STRING(nullptr, &begin, ASN1_STRING_length(value)));
    openssl::take_notes();
    if (!held || begin != end) return broken(shown);
    const std::span raw(ASN1_STRING_get0_data(held.get()),
                        static_cast<std::size_t>(ASN1_STRING_length(held.get())));
    auto list = parse_sct_list(std::as_bytes(raw));
    if (!list) return broken(shown);
    return std::move(*list);
}

Result<std::vector<std::byte>> signed_entry(const Sct& sct, const Certificate& certificate,
                                            const Certificate& issuer, const std::string& shown) {
    const openssl::X509Pointer bare(X509_dup(certificate.handle().x509.get()));
    if (!bare) throw std::bad_alloc();
    const int at = X509_get_ext_by_NID(bare.get(), NID_ct_precert_scts, -1);
    if (at < 0) return Error{ErrorKind::malformed, shown + ": the certificate has no SCTs", {}};
    X509_EXTENSION_free(X509_delete_ext(bare.get(), at));
    const auto body = der_of(bare.get(), i2d_re_X509_tbs);
    const auto key = der_of(X509_get_X509_PUBKEY(issuer.handle().x509.get()), i2d_X509_PUBKEY);
    if (body.size() > kLargestCertificate) {
        return Error{ErrorKind::unsupported, shown + ": the certificate is too large for a log", {}};
    }
    return TlsWriter()
        .number(kVersion1, 1)
        .number(kCertificateTimestamp, 1)
        .number(sct.milliseconds, 8)
        .number(kPrecertificate, 2)
        .bytes(Sha256().update(key).finish())
        .number(body.size(), 3)
        .bytes(body)
        .number(sct.extensions.size(), 2)
        .bytes(sct.extensions)
        .take();
}

}  // namespace modelseal::crypto
