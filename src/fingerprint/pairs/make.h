// Makes a fingerprint of a network: crossings, noise, rungs, and the answers on record.
#pragma once

#include "fingerprint/fingerprint.h"
#include "io/progress.h"
#include "oracle/network.h"

namespace modelseal::fingerprint {

struct Plan {
    unsigned pairs = 150;
    Access access = Access::logits;
    Grid grid = Grid::none;
    Schedule schedule = Schedule::keyed;
    Input input;
    unsigned threads = 0;               // that the network was opened with
    unsigned published_steps = 10'000;  // of stage 1; fewer only in tests
};

struct Made {
    Fingerprint fingerprint;  // but for root, names and times
    std::uint64_t evaluations = 0;
    std::vector<std::string> notes;
};

// Direction, starts and classes follow from `secret` and `salt`, which must be new and random.
Result<Made> make(oracle::Network& network, const Plan& plan, const Secret32& secret,
                  std::span<const std::byte, 32> salt, io::Progress& progress);

}  // namespace modelseal::fingerprint
