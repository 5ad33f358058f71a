// What several outputs show alike in JSON. JSON is a contract: keys may be added, and keep their meaning.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "report/report.h"
#include <modelseal/report.h>

namespace modelseal::report {

// The entries of findings in the JSON of `check`; `inspect` and `customer trace` show the seal's as well.
nlohmann::ordered_json seal_json(const SealFinding& seal);
nlohmann::ordered_json fingerprint_json(const FingerprintFinding& finding);
nlohmann::ordered_json signature_json(const SignatureFinding& signature);

// Each escaped, as all texts of files are.
nlohmann::ordered_json texts(const std::vector<std::string>& lines);

// As all commands print it: indented, pure ASCII, so that control characters and text that runs right to left
// cannot reach a terminal; with a newline at the end.
std::string dumped(const nlohmann::ordered_json& json);

}  // namespace modelseal::report
