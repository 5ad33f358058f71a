// The program: options of every command, the command that was chosen, its exit code.
#pragma once

#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>

#include "cli/commands/command.h"

namespace modelseal::cli {

// The tree of commands and options, for parsing, help and completion scripts: only the command `chosen` if there is one of
// that name, else all. `context` must outlive the result.
std::unique_ptr<CLI::App> build_program(Context& context, std::string_view chosen = {});

// Never throws; an exit code as in <modelseal/report.h>.
int run_program(int argc, char** argv);

}  // namespace modelseal::cli
