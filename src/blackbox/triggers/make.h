// Trains the generator, and keeps the triggers that honest runtimes agree on.
//
// What the paper leaves to chance is measured here: a trigger counts only if its margin is above the floor that
// the noise of honest runtimes demands (noise.h), so that an untouched model matches all of them.
#pragma once

#include "blackbox/method.h"

namespace modelseal::blackbox {

// As Method::make(). Classes, noise and first weights follow from `secret` and `salt`. Errors: `unsupported` if
// the network has no gradient, the training diverges, or too few triggers reach their class for a verdict.
Result<Made> make_triggers(oracle::Network& network, const Plan& plan, const Secret32& secret,
                           std::span<const std::byte, 32> salt, Progress& progress);

}  // namespace modelseal::blackbox
