// An entry of a transparency log in a bundle, as JSON has it (sigstore.rekor.v1.TransparencyLogEntry).
#pragma once

#include "oms/bundle.h"
#include "oms/fields.h"

namespace modelseal::oms {

Result<LogEntry> read_log_entry(const Fields& fields);

}  // namespace modelseal::oms
