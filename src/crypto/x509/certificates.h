// X.509 certificates (RFC 5280) that sign models, and the chains that lead to them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/keys.h>
#include <modelseal/result.h>

struct x509_st;  // OpenSSL's X509

namespace modelseal::crypto {

struct CertificateHandle;  // an X509

// Thread safety: const calls are safe together.
class Certificate {
  public:
    static Result<Certificate> of_der(std::span<const std::byte> der, const std::string& shown);
    // All that a PEM file holds, at least one; other PEM blocks are refused.
    static Result<std::vector<Certificate>> of_pem(std::string_view text, const std::string& shown);
    static Result<std::vector<Certificate>> load(const std::string& path);
    // Takes a reference.
    static Certificate of(x509_st* x509);

    std::vector<std::byte> der() const;
    std::string subject() const;  // RFC 2253
    std::string issuer() const;
    std::vector<std::string> alternative_names() const;  // e-mail addresses and URIs
    // An extension that is text, as UTF8String or bare; empty if there is none. `oid`: "1.3.6.1.4.1.57264.1.8".
    std::string text_extension(const char* oid) const;
    std::int64_t not_before() const;  // seconds since 1970
    std::int64_t not_after() const;
    Result<PublicKey> key(const std::string& shown) const;  // one that serves signatures of files
    const CertificateHandle& handle() const { return *handle_; }

  private:
    explicit Certificate(std::shared_ptr<const CertificateHandle> handle) : handle_(std::move(handle)) {}
    std::shared_ptr<const CertificateHandle> handle_;
};

// The issuer that authenticated the identity, in a certificate of Sigstore's authority; empty if it names none.
std::string identity_issuer(const Certificate& certificate);

// Whether the certificate is valid at the time `at` and may sign, as the leaf of a chain must (see below).
Result<void> may_sign(const Certificate& certificate, std::int64_t at, const std::string& shown);

// Which of the trusted certificates may end a chain: self-signed ones, or also an intermediate authority, whose own issuer
// then does not matter.
enum class Anchors { self_signed, any_authority };

// Whether `chain`, leaf first, leads to one of `anchors` at the time `at`, and its leaf may sign: key usage, if
// it has one, includes digital signatures, extended key usage, if it has one, includes code signing, and it has
// one of the two. Nor may the extended key usage of any authority, anchor included, leave code signing out.
// A self-signed anchor ends a chain; the others help to build it or, with Anchors::any_authority and if no self-signed one
// is reached, end it as well. Returns the certificates that led there,
// leaf and anchor included. ErrorKind::mismatch states why not. Revocation is not looked up.
Result<std::vector<Certificate>> verify_chain(const std::vector<Certificate>& chain,
                                              const std::vector<Certificate>& anchors, std::int64_t at,
                                              const std::string& shown, Anchors which = Anchors::self_signed);

}  // namespace modelseal::crypto
