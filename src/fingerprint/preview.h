// A fingerprint for the eye: its pairs as pictures, its margins as a plot.
#pragma once

#include <cstddef>
#include <vector>

#include "fingerprint/fingerprint.h"

namespace modelseal::fingerprint {

// PNG. Of up to `most_pairs` pairs of the rung that verdicts rest on: member 0, member 1, and their difference,
// stretched around grey. Inputs of shape (1, H, W), (3, H, W) or (H, W) are pictures; others are shown as a
// block of grey values, in their order.
std::vector<std::byte> preview_png(const Fingerprint& fingerprint, std::size_t most_pairs);

// The same with a title, and below it a plot for each rung: the margins of both members of each pair, with
// lines at the floor and the noise.
std::vector<std::byte> preview_sheet_png(const Fingerprint& fingerprint, std::size_t most_pairs);

}  // namespace modelseal::fingerprint
