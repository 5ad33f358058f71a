// OpenSSL's objects for tests that make what they are to refuse; whatever fails throws.
#pragma once

#include <stdexcept>
#include <string>

#include <openssl/x509v3.h>

#include "crypto/x509/certificate_handle.h"
#include "tests/support/pki/signing_certificates.h"

namespace modelseal::test {

using crypto::openssl::Bio;
using crypto::openssl::Deleter;
using crypto::openssl::Key;
using crypto::openssl::X509Pointer;

inline void must(bool done) {
    if (!done) throw std::runtime_error("OpenSSL failed in a test");
}

inline Bio memory(const std::string& text) {
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

inline Key key_of(const CertifiedKey& pair) {
    Key key(PEM_read_bio_PrivateKey(memory(pair.key).get(), nullptr, nullptr, nullptr));
    must(key != nullptr);
    return key;
}

inline X509Pointer certificate_of(const CertifiedKey& pair) {
    X509Pointer certificate(PEM_read_bio_X509(memory(pair.pem).get(), nullptr, nullptr, nullptr));
    must(certificate != nullptr);
    return certificate;
}

// `what`: a NID of OpenSSL, with its value as in a configuration file; nothing for an empty one.
inline void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
    if (value.empty()) return;
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    must(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

}  // namespace modelseal::test
