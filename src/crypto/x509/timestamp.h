// Timestamps (RFC 3161): statements of an authority that some bytes existed at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/x509/certificates.h"
#include <modelseal/result.h>

namespace modelseal::crypto {

// The time, seconds since 1970, that `response` (DER, TimeStampResp) gives `message`. Its signer's certificate
// must lead to one of `authorities` at that time and be meant for timestamps alone; the digest of the message
// must be SHA-256 or stronger. ErrorKind::mismatch states why not.
Result<std::int64_t> verify_timestamp(std::span<const std::byte> response, std::span<const std::byte> message,
                                      const std::vector<Certificate>& authorities, const std::string& shown);

// The time that `response` claims, unverified; absent if it has none.
std::optional<std::int64_t> claimed_time(std::span<const std::byte> response);

}  // namespace modelseal::crypto
