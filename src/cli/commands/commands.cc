#include "cli/commands/commands.h"

#include <algorithm>

namespace modelseal::cli {
namespace {

struct Command {
    std::string_view name;
    void (*add)(CLI::App& program, Context& context);
};

constexpr Command kCommands[] = {
    {"keygen", add_keygen},           {"seal", add_seal},           {"check", add_check},
    {"unseal", add_unseal},           {"inspect", add_inspect},     {"diff", add_diff},
    {"fingerprint", add_fingerprint}, {"challenge", add_challenge}, {"customer", add_customer},
    {"identity", add_identity},       {"sign", add_sign},           {"verify", add_verify},
    {"policy", add_policy},           {"report", add_report},       {"hook", add_hook},
    {"completion", add_completion},
};

}  // namespace

void add_commands(CLI::App& program, Context& context, std::string_view chosen) {
    const auto known = std::ranges::find(kCommands, chosen, &Command::name);
    // Completion scripts need all commands.
    if (known != std::end(kCommands) && known->add != add_completion) return known->add(program, context);
    for (const auto& command : kCommands) command.add(program, context);
}

}  // namespace modelseal::cli
