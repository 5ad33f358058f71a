
#include "crypto/x509/sct.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "crypto/hash.h"
#include "crypto/x509/certificate_handle.h"

namespace modelseal::crypto {
namespace {

using Raw = std::span<const std::byte>;
using Bytes = std::vector<std::byte>;
using OctetString = std::unique_ptr<ASN1_OCTET_STRING, openssl::Deleter<ASN1_OCTET_STRING_free>>;

constexpr std::size_t kLogIdBytes = 32;
constexpr std::uint64_t kVersion1 = 0, kSha256 = 4, kEcdsa = 3;
constexpr std::uint64_t kCertificateTimestamp = 0, kPrecertificate = 1;
constexpr std::size_t kLargestCertificate = (1u << 24) - 1;  // what three bytes of length can say

// Numbers and vectors as TLS spells them (RFC 5246, section 4), front to back; big-endian.
class TlsReader {
  public:
    explicit TlsReader(Raw bytes) : left_(bytes) {}
    bool empty() const { return left_.empty(); }

    std::optional<Raw> bytes(std::size_t count) {
        if (count > left_.size()) return std::nullopt;
        const auto out = left_.first(count);
        left_ = left_.subspan(count);
        return out;
    }
    std::optional<std::uint64_t> number(std::size_t size) {
        const auto raw = bytes(size);
        if (!raw) return std::nullopt;
        std::uint64_t value = 0;
        for (const auto byte : *raw) value = value << 8 | std::to_integer<std::uint64_t>(byte);
        return value;
    }
    // opaque<0..2^16-1>
    std::optional<Raw> opaque() {
        const auto size = number(2);
        return size ? bytes(*size) : std::nullopt;
    }

  private:
    Raw left_;
};

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

Bytes copy(Raw raw) {
    return {raw.begin(), raw.end()};
}

// Section 3.2. False for bytes that break the format.
bool read_sct(Raw raw, std::vector<Sct>& out) {
    TlsReader in(raw);
    const auto version = in.number(1);
    if (!version) return false;
    if (*version != kVersion1) return true;  // of a later version, which may look any way
    const auto log = in.bytes(kLogIdBytes);
    const auto time = in.number(8);
    const auto extensions = in.opaque();
    const auto hash = in.number(1), scheme = in.number(1);
    const auto signature = in.opaque();
    if (!log || !time || !extensions || !hash || !scheme || !signature || !in.empty()) return false;
    out.push_back({.log_id = copy(*log),
                   .milliseconds = *time,
                   .extensions = copy(*extensions),
                   .ecdsa_sha256 = *hash == kSha256 && *scheme == kEcdsa,
                   .signature = copy(*signature)});
    return true;
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

Error broken(const std::string& shown) {
    return {ErrorKind::malformed, shown + ": the certificate's list of SCTs is broken", {}};
}

}  // namespace

std::optional<std::vector<Sct>> parse_sct_list(std::span<const std::byte> bytes) {
    std::vector<Sct> out;
    TlsReader outer(bytes);
    const auto list = outer.opaque();
    if (!list || list->empty() || !outer.empty()) return std::nullopt;
    TlsReader in(*list);
    while (!in.empty()) {
        const auto one = in.opaque();
        if (!one || one->empty() || !read_sct(*one, out)) return std::nullopt;
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
