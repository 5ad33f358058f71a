// A picture of a fingerprint of pairs: pairs as images, margins as a plot.
#pragma once

#include <cstddef>
#include <vector>

#include "blackbox/fingerprint.h"

namespace modelseal::blackbox {

// PNG. Shows up to `most` pairs of the rung that verdicts rest on: member 0, member 1, and their difference,
// stretched around gray.
std::vector<std::byte> preview_of_pairs(const Fingerprint& fingerprint, std::size_t most);

// The same with a title, and below it a plot for each rung: the margins of both members of each pair, with
// lines at the floor and the noise.
std::vector<std::byte> sheet_of_pairs(const Fingerprint& fingerprint, std::size_t most);

}  // namespace modelseal::blackbox
