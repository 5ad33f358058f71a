// A comparison of two models, as people and machines read it.
#pragma once

#include <string>

#include "report/report.h"
#include <modelseal/inspect.h>

namespace modelseal::report {

std::string to_text(const Comparison& comparison, const TextStyle& style);
// Schema modelseal-diff/1; pure ASCII, ends with a newline.
std::string to_json(const Comparison& comparison);

}  // namespace modelseal::report
