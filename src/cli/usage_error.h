// A command line that makes no sense, told with a hint about what was probably meant.
#pragma once

#include <CLI/CLI.hpp>

#include <modelseal/result.h>

namespace modelseal::cli {

Error usage_error(const CLI::App& program, const CLI::ParseError& error);

}  // namespace modelseal::cli
