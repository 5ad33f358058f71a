// The part of a payload that pairs have: facts and tensors by rung; modelseal-fingerprint(5) lists them.
#pragma once

#include <string>

#include "blackbox/container/payload_parts.h"
#include "blackbox/fingerprint.h"

namespace modelseal::blackbox {

// As Method::write(), read() and complaint().
Result<void> write_pairs(const Fingerprint& fingerprint, PayloadWriter& payload);
void read_pairs(PayloadReader& payload, Fingerprint& fingerprint);
std::string complaint_about_pairs(const Fingerprint& fingerprint);

}  // namespace modelseal::blackbox
