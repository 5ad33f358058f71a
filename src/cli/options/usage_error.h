// Errors of the command line, with a hint about what was probably meant. CLI11's messages are reworded here, so that no
// other file depends on them.
#pragma once

#include <string_view>

#include <CLI/CLI.hpp>

#include <modelseal/result.h>

namespace modelseal::cli {

// `first_word` is the first argument. A command is expected there, even if a later argument is the name of one.
Error usage_error(const CLI::App& program, const CLI::ParseError& error, std::string_view first_word);

// Whether the only error is that no command was given. The program then prints its usage.
bool lacks_command(const CLI::App& program, const CLI::ParseError& error);

// ErrorKind::usage for the first option or argument with an empty value. Scripts pass one if a variable is unset; read as
// "not given" it would silently weaken a check.
Result<void> refuse_empty_values(const CLI::App& program);

}  // namespace modelseal::cli
