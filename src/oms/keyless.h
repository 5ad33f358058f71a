// Keyless signatures (Sigstore), verified offline: a certificate of minutes that names who signed, and a log
// that says when.
#pragma once

#include "oms/authenticate.h"

namespace modelseal::oms {

// Precondition: the options hold a trusted root, an identity and an issuer.
Result<Signer> by_identity(const Bundle& bundle, const VerifyOptions& options, const std::string& shown);

}  // namespace modelseal::oms
