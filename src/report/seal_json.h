// The entries of findings in the JSON of `check`; `inspect` shows the seal's as well.
#pragma once

#include <nlohmann/json.hpp>

#include <modelseal/report.h>

namespace modelseal::report {

nlohmann::ordered_json seal_json(const SealFinding& seal);
nlohmann::ordered_json fingerprint_json(const FingerprintFinding& finding);

}  // namespace modelseal::report
