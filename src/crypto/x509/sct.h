// Signed certificate timestamps (RFC 6962): statements of a log that it includes a certificate, embedded in the
// certificate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/x509/certificates.h"

namespace modelseal::crypto {

struct Sct {
    std::vector<std::byte> log_id;      // SHA-256 of the log's key
    std::uint64_t milliseconds = 0;     // since 1970
    std::vector<std::byte> extensions;  // opaque
    bool ecdsa_sha256 = false;          // how it is signed; else by RSA
    std::vector<std::byte> signature;
};

// A list in the format of TLS (section 3.3), without SCTs of later versions; nothing for bytes that break it,
// or an SCT of version 1 that is signed in a way that version 1 does not have.
std::optional<std::vector<Sct>> parse_sct_list(std::span<const std::byte> bytes);

// Those in the certificate's extension, in their order; none if it has no such extension, or one that holds
// only SCTs of later versions.
Result<std::vector<Sct>> embedded_scts(const Certificate& certificate, const std::string& shown);

// What the log signs: the certificate without its SCTs, and the key of its issuer (section 3.2).
Result<std::vector<std::byte>> signed_entry(const Sct& sct, const Certificate& certificate,
                                            const Certificate& issuer, const std::string& shown);

}  // namespace modelseal::crypto
