// The commands of `modelseal hook`, each in a file of its own.
#pragma once

#include <string>

#include "cli/commands/command.h"
#include <modelseal/policy.h>

namespace modelseal::cli {

// The policy of a hook: `file`, or if that is empty, the one that the environment variable MODELSEAL_POLICY names.
Result<Policy> load_hook_policy(const std::string& file);

void add_hook_git(CLI::App& hook, Context& context);

}  // namespace modelseal::cli
