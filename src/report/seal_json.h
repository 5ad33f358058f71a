// The seal's entry in the JSON of `check`, which `inspect` shows as well.
#pragma once

#include <nlohmann/json.hpp>

#include <modelseal/report.h>

namespace modelseal::report {

nlohmann::ordered_json seal_json(const SealFinding& seal);

}  // namespace modelseal::report
