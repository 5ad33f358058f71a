// Makes a fingerprint of a network: crossings, noise, rungs, and the answers on record.
#pragma once

#include "blackbox/fingerprint.h"
#include "blackbox/pairs/probe.h"
#include "oracle/network.h"
#include <modelseal/progress.h>

namespace modelseal::blackbox {

struct Plan {
    unsigned pairs = 150;
    Access access = Access::logits;
    Grid grid = Grid::none;
    Input input;
    unsigned threads = 0;  // that the network was opened with
};

struct Made {
    Fingerprint fingerprint;  // but for root, names and times
    std::uint64_t evaluations = 0;
    std::vector<std::string> notes;
};

// Direction, starts and classes follow from `secret` and `salt`, which must be new and random.
Result<Made> make(oracle::Network& network, const Plan& plan, const Secret32& secret,
                  std::span<const std::byte, 32> salt, Progress& progress);

// What other schedules of making share with this one. The network as it is asked, with `plan.input`, which must
// outlive the probe:
Probe probe_of(oracle::Network& network, const Plan& plan, std::size_t classes);
// The facts that follow from the plan and the probe; no pairs, and of Schedule::keyed.
Fingerprint facts_of(const Plan& plan, const Probe& probe);
// Records the answers to `rung`'s pairs (record.h), at most plan.pairs of them, and adds it to `made`, with a
// note if there are fewer. A rung without pairs is left out.
Result<void> add_rung(Probe& probe, const Plan& plan, RungOfPairs rung, Made& made);

}  // namespace modelseal::blackbox
