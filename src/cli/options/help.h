// What commands and options are called, and how `--help` shows them: one sentence, the usage, examples, the options, and
// those that every command has.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace modelseal::cli {

// CLI::AppFormatMode::All shows the options of every group, other modes those of the first.
std::shared_ptr<CLI::FormatterBase> help_formatter();

// "modelseal keygen": a command's name with those of its parents.
std::string full_name(const CLI::App& command);

// "FILE"; empty for a flag.
std::string value_name(const CLI::Option& option);
// The values of which one must be chosen (CLI::IsMember); empty if any will do.
std::vector<std::string> choices(const CLI::Option& option);
// "-k", "--key"; empty for a positional.
std::vector<std::string> spellings(const CLI::Option& option);
// Whether a command has it only because every command does: --help and --help-all.
bool is_inherited(const CLI::App& command, const CLI::Option& option);

}  // namespace modelseal::cli
