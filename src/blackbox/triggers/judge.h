// Judges answers to triggers: one mismatches if it is answered with another class than its label.
#pragma once

#include <optional>
#include <string>

#include "blackbox/fingerprint.h"
#include "blackbox/replies.h"
#include "blackbox/verdict.h"

namespace modelseal::blackbox {

// As Method::judge(). Mismatches count on the rung that has to agree and on a coarser one.
Result<FingerprintFinding> judge_triggers(const Fingerprint& fingerprint, const Replies& replies,
                                          std::optional<Rung> rung, const std::string& who);

// How many mismatches among the triggers that count on `rung` make an alarm, and the chance of a false one.
Threshold threshold_on(const Fingerprint& fingerprint, const RungOfTriggers& rung);

}  // namespace modelseal::blackbox
