// Makes a fingerprint of pairs: crossings, noise, rungs, and the answers on record.
#pragma once

#include "blackbox/method.h"
#include "blackbox/probe.h"

namespace modelseal::blackbox {

// As Method::make(). Direction, starts and classes follow from `secret` and `salt`.
Result<Made> make_pairs(oracle::Network& network, const Plan& plan, const Secret32& secret,
                        std::span<const std::byte, 32> salt, Progress& progress);

// Records the answers to `rung`'s pairs (record.h), at most plan.count of them, and adds it to `made`, with a
// note if there are fewer. A rung without pairs is left out.
Result<void> add_rung(Probe& probe, const Plan& plan, RungOfPairs rung, Made& made);

}  // namespace modelseal::blackbox
