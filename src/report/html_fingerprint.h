// The part of a page that tells of a fingerprint.
#pragma once

#include <functional>
#include <string>

#include <modelseal/report.h>

namespace modelseal::report {

// The sentences at the top of a card, one after the other.
void say_fingerprint(const FingerprintFinding& finding, const std::function<void(const std::string&)>& say);

// Facts, a plot for each rung whose margins are known, and the pairs as pictures.
std::string fingerprint_section(const FingerprintFinding& finding);

}  // namespace modelseal::report
