#include "cli/options/option_rules.h"

#include <algorithm>

#include <fmt/format.h>

namespace modelseal::cli {
namespace {

bool was_given(const CLI::App& command, const char* option) {
    return command.get_option(option)->count() > 0;
}

// Completes the message "no target is ...".
const char* description_of(bool TargetUses::*target) {
    if (target == &TargetUses::on_disk) return "a file or folder";
    if (target == &TargetUses::read) return "a file or folder whose weights are read";
    if (target == &TargetUses::run) return "a file that is run here";
    if (target == &TargetUses::served) return "served";
    if (target == &TargetUses::http) return "a URL";
    return "a model that is queried";
}

}  // namespace

Result<void> refuse_idle_options(const CLI::App& command, std::span<const OptionRule> rules,
                                 const TargetUses& uses) {
    for (const auto& rule : rules) {
        if (!was_given(command, rule.option)) continue;
        const bool has_company = rule.needs.empty() || std::ranges::any_of(rule.needs, [&](const char* other) {
                                     return was_given(command, other);
                                 });
        if (!has_company) {
            return Error{ErrorKind::usage,
                         fmt::format("{} has no effect without {}", rule.option, fmt::join(rule.needs, " or ")),
                         {}};
        }
        if (rule.target != nullptr && !(uses.*rule.target)) {
            return Error{
                ErrorKind::usage,
                fmt::format("{} has no effect: no target is {}", rule.option, description_of(rule.target)),
                {}};
        }
    }
    return {};
}

}  // namespace modelseal::cli
