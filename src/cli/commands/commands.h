// All commands, in the order of `modelseal --help`. A new one is a line here, one in commands.cc, and its file, which
// adds it.
#pragma once

#include <string>
#include <string_view>

#include "cli/commands/command.h"

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
void add_identity(CLI::App& program, Context& context);
void add_sign(CLI::App& program, Context& context);
void add_verify(CLI::App& program, Context& context);
void add_policy(CLI::App& program, Context& context);
void add_report(CLI::App& program, Context& context);
void add_hook(CLI::App& program, Context& context);
void add_completion(CLI::App& program, Context& context);

// Adds only the command `chosen` if there is one of that name, which saves declaring the options of all others; else adds
// all.
void add_commands(CLI::App& program, Context& context, std::string_view chosen);

// Scripts that complete commands, options and their values, made from the tree of commands that parses them.
std::string bash_completion(const CLI::App& program);
std::string zsh_completion(const CLI::App& program);
std::string fish_completion(const CLI::App& program);

}  // namespace modelseal::cli
