// All commands, in the order of `modelseal --help`. A new one is a line here, one in commands.cc, and its file.
#pragma once

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
void add_sign(CLI::App& program, Context& context);
void add_verify(CLI::App& program, Context& context);
void add_completion(CLI::App& program, Context& context);

void add_all_commands(CLI::App& program, Context& context);

}  // namespace modelseal::cli
