// The last step of making triggers: the noise of honest runtimes is measured, and those that it could move are left
// out.
#pragma once

#include <span>
#include <vector>

#include "blackbox/method.h"
#include "blackbox/noise.h"
#include "blackbox/probe.h"

namespace modelseal::blackbox {

// The borders of these classes.
std::vector<Boundary> boundaries_of_labels(std::span<const std::int64_t> labels);

// To measure the noise of these margins. `outputs`: for `pixels`.
NoiseInputs noise_inputs(const std::vector<float>& pixels, const Outputs& outputs,
                         std::span<const std::int64_t> labels);

// Adds rungs and triggers to `made`, whose fingerprint has none yet, with the answers evaluated as in a check.
// `pixels`: those of an input for each label. Error `unsupported` if too few are above the floor for a verdict.
Result<void> record_triggers(Probe& probe, unsigned threads, const std::vector<float>& pixels,
                             std::span<const std::int64_t> labels, Made& made);

}  // namespace modelseal::blackbox
