// Proofs of a transparency log about an entry: that the log contains it (Rekor 1 and 2), and since when
// (Rekor 1).
#pragma once

#include "crypto/x509/certificates.h"
#include "oms/bundle.h"
#include "oms/fields.h"
#include "oms/trusted_root.h"

namespace modelseal::oms {

// True if the entry's leaf is in the tree with the root that the proof names (RFC 6962, section 2.1.1).
bool in_tree(const LogEntry& entry);

// True if the log signed that root and size as a checkpoint (a signed note). False if its key is not
// supported.
bool checkpoint_holds(const LogEntry& entry, const TrustedRoot::Log& log);

// True if the log signed the time at which it added the entry.
bool promise_holds(const LogEntry& entry, const TrustedRoot::Log& log);

// The record of a signature in a transparency log.

struct LogBody {
    Bytes payload_hash;  // SHA-256 of what was signed, without its envelope
    Bytes signature;     // DER
    Bytes certificate;   // DER
};

// Parses the kinds for DSSE envelopes: "dsse" 0.0.1 (Rekor 1) and 0.0.2 (Rekor 2). Others are refused by
// name. ErrorKind::mismatch if the entry is not of the kind that it states.
Result<LogBody> read_log_body(const LogEntry& entry, const std::string& shown);

// An entry of a transparency log in a bundle, as JSON has it (sigstore.rekor.v1.TransparencyLogEntry).

Result<LogEntry> read_log_entry(const Fields& fields);

// Verifies that the certificate of a keyless signature was logged, so that the person named in it can find
// it.

// At least one log in the trusted root must have signed, in the certificate itself, that it added the
// certificate (RFC 6962); and every log in the trusted root that is named there must have. `issuer` signed
// the certificate.
Result<void> check_logged(const crypto::Certificate& certificate, const crypto::Certificate& issuer,
                          const TrustedRoot& root, const std::string& shown);

}  // namespace modelseal::oms
