// The part of a payload that triggers have: facts and tensors; modelseal-fingerprint(5) lists them.
#pragma once

#include <string>

#include "blackbox/container/payload_parts.h"
#include "blackbox/fingerprint.h"

namespace modelseal::blackbox {

inline constexpr std::uint32_t kMostWidth = 1024;
inline constexpr std::uint32_t kMostSteps = 1'000'000;

// As Method::write(), read() and complaint().
Result<void> write_triggers(const Fingerprint& fingerprint, PayloadWriter& payload);
void read_triggers(PayloadReader& payload, Fingerprint& fingerprint);
std::string complaint_about_triggers(const Fingerprint& fingerprint);

}  // namespace modelseal::blackbox
