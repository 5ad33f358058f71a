// A command line that makes no sense, with a hint about what was probably meant. The words of CLI11 end here.
#pragma once

#include <string_view>

#include <CLI/CLI.hpp>

#include <modelseal/result.h>

namespace modelseal::cli {

// `first_word` is the first argument: where a command is expected, even if a later one happens to be one.
Error usage_error(const CLI::App& program, const CLI::ParseError& error, std::string_view first_word);

// Whether all that is wrong is that there is no command, so that the usage helps.
bool lacks_command(const CLI::App& program, const CLI::ParseError& error);

// ErrorKind::usage for the first option or argument of the parsed command line whose value is empty, as that of
// an unset variable in a script is: taken for "not given", it would silently ask for less.
Result<void> refuse_empty_values(const CLI::App& program);

}  // namespace modelseal::cli
