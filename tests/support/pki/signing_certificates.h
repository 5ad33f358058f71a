// Certificates that sign models, made in a test, and timestamps of a test's own authority.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <modelseal/keys.h>

namespace modelseal::test {

struct CertificateRequest {
    std::string name;
    std::string curve = "P-256";  // or "RSA"
    bool authority = false;
    long from_days = -10, to_days = 10;               // from now
    std::string usage = "critical,digitalSignature";  // empty: no such extension
    std::string extended_usage = "codeSigning";       // empty: no such extension
    std::string authority_extended_usage = {};        // the same for an authority
};

struct CertifiedKey {
    std::string pem, key;  // both PEM
};

// The key of a PEM text that is not encrypted.
SigningKey signing_key(const std::string& pem);

// Signed by `issuer`, or by itself.
CertifiedKey certify(const CertificateRequest& request, const CertifiedKey* issuer = nullptr);

// An RFC 3161 response (DER) of the authority `signer` for `message`, made so many days from now.
std::vector<std::byte> timestamp(const CertifiedKey& signer, std::span<const std::byte> message, long days,
                                 const char* digest = "SHA256");
// At a time, seconds since 1970; `copy`: with a copy of the signer's certificate.
std::vector<std::byte> timestamp_at(const CertifiedKey& signer, std::span<const std::byte> message,
                                    std::int64_t at, const char* digest = "SHA256", bool copy = true);

}  // namespace modelseal::test
