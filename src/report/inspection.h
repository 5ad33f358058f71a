// An inspection, as people and machines read it.
#pragma once

#include <string>

#include "report/report.h"
#include <modelseal/inspect.h>

namespace modelseal::report {

std::string to_text(const Inspection& inspection, const TextStyle& style);
// Schema modelseal-inspect/1; pure ASCII, ends with a newline.
std::string to_json(const Inspection& inspection);

}  // namespace modelseal::report
