// The one table that words the library's remedies as options and commands.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::cli {

// One line, as it follows "hint: "; empty for Remedy::none.
std::string_view hint_of(Remedy remedy);
// The remedy's line where there is one, else the library's hint; may be empty.
std::string hint_of(const Error& error);
// Replaces the library's hints in a report by the remedies' lines.
void name_options(CheckReport& report);

}  // namespace modelseal::cli
