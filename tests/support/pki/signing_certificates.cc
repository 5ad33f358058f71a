
#include "tests/support/pki/signing_certificates.h"

#include <ctime>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/keys/pem.h"
#include "tests/support/pki/openssl.h"

namespace modelseal::test {
namespace {

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

ASN1_INTEGER* next_serial(TS_RESP_CTX*, void*) {
    ASN1_INTEGER* serial = ASN1_INTEGER_new();
    ASN1_INTEGER_set(serial, 7);
    return serial;
}

int given_time(TS_RESP_CTX*, void* data, long* seconds, long* microseconds) {
    *seconds = *static_cast<long*>(data);
    *microseconds = 0;
    return 1;
}

using Request = std::unique_ptr<TS_REQ, Deleter<TS_REQ_free>>;
using Imprint = std::unique_ptr<TS_MSG_IMPRINT, Deleter<TS_MSG_IMPRINT_free>>;
using Algorithm = std::unique_ptr<X509_ALGOR, Deleter<X509_ALGOR_free>>;

Request request_for(std::span<const std::byte> message, const EVP_MD* digest, bool copy) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    must(EVP_Digest(message.data(), message.size(), hash, &size, digest, nullptr) == 1);
    const Algorithm algorithm(X509_ALGOR_new());
    X509_ALGOR_set_md(algorithm.get(), digest);
    const Imprint imprint(TS_MSG_IMPRINT_new());
    must(TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) == 1);
    must(TS_MSG_IMPRINT_set_msg(imprint.get(), hash, static_cast<int>(size)) == 1);
    Request request(TS_REQ_new());
    must(TS_REQ_set_version(request.get(), 1) == 1 &&
         TS_REQ_set_msg_imprint(request.get(), imprint.get()) == 1);
    must(TS_REQ_set_cert_req(request.get(), copy ? 1 : 0) == 1);
    return request;
}

}  // namespace

CertifiedKey certify(const CertificateRequest& request, const CertifiedKey* issuer) {
    static long serial = 100;
    const Key key(request.curve == "RSA" ? EVP_RSA_gen(2048) : EVP_EC_gen(request.curve.c_str()));
    must(key != nullptr);
    X509Pointer out(X509_new());
    X509_set_version(out.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(out.get()), request.from_days * 86400);
    X509_gmtime_adj(X509_getm_notAfter(out.get()), request.to_days * 86400);
    X509_set_pubkey(out.get(), key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(request.name.c_str()), -1, -1, 0);
    const X509Pointer above = issuer == nullptr ? nullptr : certificate_of(*issuer);
    X509* const by = above == nullptr ? out.get() : above.get();
    X509_set_issuer_name(out.get(), X509_get_subject_name(by));
    extend(out.get(), by, NID_basic_constraints, request.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(out.get(), by, NID_key_usage, request.authority ? "critical,keyCertSign,cRLSign" : request.usage);
    extend(out.get(), by, NID_ext_key_usage,
           request.authority ? request.authority_extended_usage : request.extended_usage);
    const Key signer = issuer == nullptr ? nullptr : key_of(*issuer);
    must(X509_sign(out.get(), signer == nullptr ? key.get() : signer.get(), EVP_sha256()) > 0);
    const Bio pem(BIO_new(BIO_s_mem())), secret(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(pem.get(), out.get());
    PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {text_of(pem.get()), text_of(secret.get())};
}

std::vector<std::byte> timestamp(const CertifiedKey& signer, std::span<const std::byte> message, long days,
                                 const char* digest) {
    return timestamp_at(signer, message, std::time(nullptr) + days * 86400, digest);
}

std::vector<std::byte> timestamp_at(const CertifiedKey& signer, std::span<const std::byte> message,
                                    std::int64_t when, const char* digest, bool copy) {
    const auto* method = EVP_get_digestbyname(digest);
    const auto request = request_for(message, method, copy);
    const Bio asked(BIO_new(BIO_s_mem()));
    must(i2d_TS_REQ_bio(asked.get(), request.get()) == 1);
    std::unique_ptr<TS_RESP_CTX, Deleter<TS_RESP_CTX_free>> context(TS_RESP_CTX_new());
    std::unique_ptr<ASN1_OBJECT, Deleter<ASN1_OBJECT_free>> policy(OBJ_txt2obj("1.2.3.4", 1));
    const auto certificate = certificate_of(signer);
    const auto key = key_of(signer);
    long at = static_cast<long>(when);
    must(TS_RESP_CTX_set_signer_cert(context.get(), certificate.get()) == 1);
    must(TS_RESP_CTX_set_signer_key(context.get(), key.get()) == 1);
    must(TS_RESP_CTX_set_signer_digest(context.get(), EVP_sha256()) == 1);
    must(TS_RESP_CTX_set_ess_cert_id_digest(context.get(), EVP_sha256()) == 1);
    must(TS_RESP_CTX_set_def_policy(context.get(), policy.get()) == 1);
    must(TS_RESP_CTX_add_md(context.get(), method) == 1);
    TS_RESP_CTX_set_serial_cb(context.get(), next_serial, nullptr);
    TS_RESP_CTX_set_time_cb(context.get(), given_time, &at);
    std::unique_ptr<TS_RESP, Deleter<TS_RESP_free>> response(
        TS_RESP_create_response(context.get(), asked.get()));
    must(response != nullptr && TS_RESP_get_tst_info(response.get()) != nullptr);
    unsigned char* der = nullptr;
    const int size = i2d_TS_RESP(response.get(), &der);
    must(size > 0);
    const auto bytes = std::as_bytes(std::span(der, static_cast<std::size_t>(size)));
    std::vector<std::byte> out(bytes.begin(), bytes.end());
    OPENSSL_free(der);
    return out;
}

SigningKey signing_key(const std::string& pem) {
    return crypto::parse_signing_key(pem, "test.key", {}).value();
}

}  // namespace modelseal::test
