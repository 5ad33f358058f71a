// The program: options of every command, the command that was chosen, its exit code.
#pragma once

#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>

#include "cli/commands/command.h"

namespace modelseal::cli {

// The tree of commands and options, for the parse, the help and the completion scripts: all of them, or only
// the command `chosen` if it is one. `context` outlives it.
std::unique_ptr<CLI::App> build_program(Context& context, std::string_view chosen = {});

// Never throws; an exit code as in <modelseal/report.h>.
int run_program(int argc, char** argv);

}  // namespace modelseal::cli
