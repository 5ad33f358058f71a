// What a transparency log recorded about a signature.
#pragma once

#include "oms/bundle.h"
#include "oms/fields.h"

namespace modelseal::oms {

struct LogBody {
    Bytes payload_hash;  // SHA-256 of what was signed, without its envelope
    Bytes signature;     // DER
    Bytes certificate;   // DER
};

// Of the kinds that a DSSE envelope is logged as: "dsse" 0.0.1 (Rekor 1) and 0.0.2 (Rekor 2). Others are
// refused by name. ErrorKind::mismatch if the entry is not of the kind that it says.
Result<LogBody> read_log_body(const LogEntry& entry, const std::string& shown);

}  // namespace modelseal::oms
