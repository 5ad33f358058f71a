// How `--help` looks: one sentence, the usage, examples, the options, and those that every command has.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace modelseal::cli {

// CLI::AppFormatMode::All shows the options of every group, other modes those of the first.
std::shared_ptr<CLI::FormatterBase> help_formatter();

// "modelseal keygen": a command's name with those of its parents.
std::string full_name(const CLI::App& command);

}  // namespace modelseal::cli
