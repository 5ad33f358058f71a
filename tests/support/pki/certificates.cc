
#include "tests/support/pki/certificates.h"

#include <memory>
#include <stdexcept>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace modelseal::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using X509Pointer = std::unique_ptr<X509, void (*)(X509*)>;
using BioPointer = std::unique_ptr<BIO, void (*)(BIO*)>;

BioPointer memory(const std::string& text = {}) {
    return {text.empty() ? BIO_new(BIO_s_mem()) : BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
            BIO_free_all};
}

std::string text_of(const BioPointer& bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    if (extension == nullptr) throw std::runtime_error("no such extension: " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

X509Pointer blank(const Key& key, const std::string& name, long from_s, long to_s) {
    static long serial = 1;
    X509Pointer certificate(X509_new(), X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to_s);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    return certificate;
}

Certificate written(const X509Pointer& certificate, const Key& key) {
    const auto pem = memory(), secret = memory();
    PEM_write_bio_X509(pem.get(), certificate.get());
    PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {text_of(pem), text_of(secret)};
}

}  // namespace

Certificate make_authority(const std::string& name) {
    const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const auto certificate = blank(key, name, -86400 * 40L, 86400 * 40L);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    extend(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    return written(certificate, key);
}

Certificate issue(const Certificate& authority, const std::string& names, int days) {
    const auto pem = memory(authority.pem), secret = memory(authority.key);
    const X509Pointer issuer(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr), X509_free);
    const Key issuer_key(PEM_read_bio_PrivateKey(secret.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const long end = 86400L * days;
    const auto subject = names.empty() ? "localhost" : "server";
    const auto certificate = blank(key, subject, end < 0 ? end - 86400 : -86400, end);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
    extend(certificate.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
    if (!names.empty()) extend(certificate.get(), issuer.get(), NID_subject_alt_name, names);
    X509_sign(certificate.get(), issuer_key.get(), EVP_sha256());
    return written(certificate, key);
}

}  // namespace modelseal::test
