// What is known of an option, for the help, the completion scripts and messages.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace modelseal::cli {

// "FILE"; empty for a flag.
std::string value_name(const CLI::Option& option);
// The values of which one must be chosen (CLI::IsMember); empty if any will do.
std::vector<std::string> choices(const CLI::Option& option);
// "-k", "--key"; empty for a positional.
std::vector<std::string> spellings(const CLI::Option& option);
// Whether a command has it only because every command does: --help and --help-all.
bool is_inherited(const CLI::App& command, const CLI::Option& option);

}  // namespace modelseal::cli
