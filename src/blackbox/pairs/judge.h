// Judges answers to pairs: a pair differs if one of its members crossed the boundary, or moved as far away from
// it; on the rung exact, if it differs in any bit.
#pragma once

#include <optional>
#include <string>

#include "blackbox/fingerprint.h"
#include "blackbox/replies.h"
#include <modelseal/report.h>

namespace modelseal::blackbox {

// As Method::judge(). Mismatches count on the rung that has to agree and on all coarser ones; on exact only if
// the same runtime as on record answered.
Result<FingerprintFinding> judge_pairs(const Fingerprint& fingerprint, const Replies& replies,
                                       std::optional<Rung> rung, const std::string& who);

}  // namespace modelseal::blackbox
