// A picture of a fingerprint of triggers.
#pragma once

#include <cstddef>
#include <vector>

#include "blackbox/fingerprint.h"

namespace modelseal::blackbox {

// PNG. Shows up to `most` triggers, with their labels and margins.
std::vector<std::byte> preview_of_triggers(const Fingerprint& fingerprint, std::size_t most);

// The same with a title, and below it a plot of the margins for each rung.
std::vector<std::byte> sheet_of_triggers(const Fingerprint& fingerprint, std::size_t most);

}  // namespace modelseal::blackbox
