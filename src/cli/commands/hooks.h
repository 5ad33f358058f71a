// The commands of `modelseal hook`, each in a file of its own.
#pragma once

#include <string>

#include "cli/commands/command.h"
#include <modelseal/policy.h>

namespace modelseal::cli {

// Where the policy of a hook is: `file`, or if that is empty, what the environment variable MODELSEAL_POLICY names.
Result<std::string> hook_policy_file(const std::string& file);
Result<Policy> load_hook_policy(const std::string& file);

void add_hook_git(CLI::App& hook, Context& context);
void add_hook_oci(CLI::App& hook, Context& context);

}  // namespace modelseal::cli
