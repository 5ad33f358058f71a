// The inputs of pairs, computed from their paths.
#pragma once

#include <span>
#include <vector>

#include "blackbox/fingerprint.h"

namespace modelseal::blackbox {

// The inputs of both members of `pairs`, first all of member 0, then all of member 1, in pixels (before mean
// and std). Paths are those of `fingerprint`.
std::vector<float> inputs_of(const Fingerprint& fingerprint, std::span<const Pair> pairs);

// Appends one of them to `inputs`.
void append_input(const Fingerprint& fingerprint, const Pair& pair, int member, std::vector<float>& inputs);

}  // namespace modelseal::blackbox
