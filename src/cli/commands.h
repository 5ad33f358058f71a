// All commands, in the order of `modelseal --help`. A new one is a line here, one in commands.cc, and its file.
#pragma once

#include <string_view>

#include "cli/command.h"

namespace modelseal::cli {

void add_keygen(CLI::App& program, Context& context);
void add_seal(CLI::App& program, Context& context);
void add_check(CLI::App& program, Context& context);
void add_unseal(CLI::App& program, Context& context);
void add_inspect(CLI::App& program, Context& context);
void add_diff(CLI::App& program, Context& context);
void add_fingerprint(CLI::App& program, Context& context);
void add_challenge(CLI::App& program, Context& context);
void add_customer(CLI::App& program, Context& context);
void add_sign(CLI::App& program, Context& context);
void add_verify(CLI::App& program, Context& context);
void add_completion(CLI::App& program, Context& context);

// Only the command `chosen`, if there is one of that name, so that a run does not pay for the options of all;
// else all.
void add_commands(CLI::App& program, Context& context, std::string_view chosen);

}  // namespace modelseal::cli
