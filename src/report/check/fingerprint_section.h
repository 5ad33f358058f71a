// What a fingerprint's finding says, in words.
#pragma once

#include <string>

#include "report/check/document.h"
#include <modelseal/report.h>

namespace modelseal::report {

Section fingerprint_section(const FingerprintFinding& finding, const std::string& target);

// "exact: 90 of 150 pairs differ, 3 undecided; noise 1.0e-05, floor 2.0e-04"
std::string rung_text(const FingerprintFinding& finding, const FingerprintFinding::RungFinding& rung);

}  // namespace modelseal::report
