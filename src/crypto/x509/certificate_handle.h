// OpenSSL's objects behind certificates.h and timestamp.h. Included by src/crypto only.
#pragma once

#include <memory>
#include <vector>

#include "crypto/openssl.h"
#include "crypto/x509/certificates.h"

namespace modelseal::crypto::openssl {

using X509Pointer = std::unique_ptr<X509, Deleter<X509_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
inline void free_certificate_stack(STACK_OF(X509) * stack) {
    sk_X509_free(stack);  // not the certificates, which it borrows
}
using BorrowedStack = std::unique_ptr<STACK_OF(X509), Deleter<free_certificate_stack>>;

}  // namespace modelseal::crypto::openssl

namespace modelseal::crypto {

struct CertificateHandle {
    openssl::X509Pointer x509;
};

// Security bits that every key and signature of a chain must have: RSA of 2048 bits, SHA-256.
inline constexpr int kSecurityLevel = 2;

// What a chain must allow its leaf to do: the extended key usage of any authority in it may forbid that.
enum class Purpose { code_signing, timestamps };

// A store of trust anchors, for a verification at the time `at`.
openssl::Store store_of(const std::vector<Certificate>& anchors, std::int64_t at, Purpose purpose);
openssl::BorrowedStack stack_of(std::span<const Certificate> certificates);

}  // namespace modelseal::crypto
