// What `fingerprint` made, as people and machines read it.
#pragma once

#include <string>

#include "report/report.h"
#include <modelseal/fingerprint.h>

namespace modelseal::report {

// `out`: the file that was written. Notes are not in it: they are warnings.
std::string to_text(const FingerprintSummary& summary, const std::string& out, const TextStyle& style);
// Schema modelseal-fingerprint/1; pure ASCII, ends with a newline.
std::string to_json(const FingerprintSummary& summary, const std::string& out);

}  // namespace modelseal::report
