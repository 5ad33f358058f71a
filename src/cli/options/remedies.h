// What the library's remedies are on the command line: the one table that names options and commands for them.
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
// Puts the remedies' lines in the place of the library's hints, for every output that shows them.
void name_options(CheckReport& report);

}  // namespace modelseal::cli
