// The last step of making: every rung is asked as a check will ask it, and the answers are kept.
#pragma once

#include "fingerprint/probe.h"

namespace modelseal::fingerprint {

// Asks all pairs of the rung, in the order of inputs_of(), and records margins and labels. Members of the exact
// rung that land on the wrong side, since other neighbours in a batch round otherwise, are moved outwards until
// they do not. Pairs that cannot be mended are dropped; at most `keep` stay.
Result<void> record(Probe& probe, Fingerprint& fingerprint, RungOfPairs& rung, std::size_t keep);

}  // namespace modelseal::fingerprint
