// Reports of models that were checked elsewhere than they are.
#pragma once

#include <string>

#include <modelseal/report.h>

namespace modelseal::hook {

// Replaces the path `from` in all texts of the report by `to`, which may be empty.
void rename_in(CheckReport& report, const std::string& from, const std::string& to);

// The same in a text.
void rename_in(std::string& text, const std::string& from, const std::string& to);

}  // namespace modelseal::hook
