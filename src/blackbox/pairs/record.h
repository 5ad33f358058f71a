// The last step of making a fingerprint of pairs: every rung is evaluated as in a check, and the answers are
// recorded.
#pragma once

#include "blackbox/fingerprint.h"
#include "blackbox/probe.h"

namespace modelseal::blackbox {

// Evaluates all pairs of the rung, in the order of inputs_of(), and records margins and labels. Members of
// the exact rung that are on the wrong side, because other neighbors in a batch change the rounding, are
// moved outwards until they are not. Pairs that cannot be corrected are dropped; at most `keep` remain.
Result<void> record(Probe& probe, Fingerprint& fingerprint, RungOfPairs& rung, std::size_t keep);

}  // namespace modelseal::blackbox
