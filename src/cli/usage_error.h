// A command line that makes no sense, told with a hint about what was probably meant.
#pragma once

#include <string_view>

#include <CLI/CLI.hpp>

#include <modelseal/result.h>

namespace modelseal::cli {

// `first_word` is the first argument: where a command is expected, even if a later one happens to be one.
Error usage_error(const CLI::App& program, const CLI::ParseError& error, std::string_view first_word);

}  // namespace modelseal::cli
