// Whether the certificate of a keyless signature was logged, so that the one whose name is in it can find it.
#pragma once

#include "crypto/certificates.h"
#include "oms/trusted_root.h"

namespace modelseal::oms {

// At least one log that the trusted root knows must have signed that it took the certificate up (RFC 6962), in
// the certificate itself; and every such log that is named there must have. `issuer` signed the certificate.
Result<void> check_logged(const crypto::Certificate& certificate, const crypto::Certificate& issuer,
                          const TrustedRoot& root, const std::string& shown);

}  // namespace modelseal::oms
