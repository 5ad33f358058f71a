// What a check of some tensors looked at, and what it says of them.
#pragma once

#include <nlohmann/json.hpp>

#include "report/check/document.h"
#include <modelseal/report.h>

namespace modelseal::report {

// Says what was not looked at, and how strong the proof for the rest is.
void add_part(const PartFinding& part, Section& section);

nlohmann::ordered_json part_json(const PartFinding& part);

}  // namespace modelseal::report
