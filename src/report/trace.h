// For whom a model was sealed, as people and machines read it.
#pragma once

#include <string>

#include "report/report.h"
#include <modelseal/trace.h>

namespace modelseal {

std::string to_text(const TraceReport& trace, const TextStyle& style);
// Schema modelseal-trace/1; pure ASCII, ends with a newline.
std::string to_json(const TraceReport& trace);

}  // namespace modelseal
