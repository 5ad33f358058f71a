// Which weights the pairs of a fingerprint cover: a promise that can be checked, and says where it ends.
#pragma once

#include "blackbox/fingerprint.h"
#include "blackbox/probe.h"

namespace modelseal::blackbox {

inline constexpr double kCoveredChange = 0.01;  // of one weight, as a part of it

// Fills Pairs::coverage of a fingerprint whose rungs and shifts are recorded: one pass forward and one back for each pair of the
// rung fp32. Error `unsupported` if the network has no gradient, or too many weights.
Result<void> measure_coverage(Probe& probe, Fingerprint& fingerprint);

}  // namespace modelseal::blackbox
