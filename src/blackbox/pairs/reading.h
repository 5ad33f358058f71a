// The measurements on the pairs of one rung, before a verdict.
#pragma once

#include "blackbox/fingerprint.h"
#include "blackbox/replies.h"
#include "blackbox/verdict.h"

namespace modelseal::blackbox {

struct PairsReading {
    RungReading rung;
    FingerprintFinding::Pairs::OnRung details;
};

// The chance of a false mismatch, for each pair; `values`: of answers that have values.
std::vector<double> chances_of(const RungOfPairs& rung, bool values);

// `first`: the row of member 0 of the first pair.
PairsReading read_rung(const Fingerprint& fingerprint, const RungOfPairs& rung, std::size_t first,
                       const Heard& heard);

}  // namespace modelseal::blackbox
