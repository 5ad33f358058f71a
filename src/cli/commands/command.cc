#include "cli/commands/command.h"

#include <utility>

#include <fmt/format.h>

namespace modelseal::cli {
namespace {

struct Silent final : Progress {
    void total(std::uint64_t) override {}
    void advance(std::uint64_t) override {}
};

}  // namespace

std::unique_ptr<Progress> Context::progress(Task task, Counted counted) const {
    if (!terminal.shows_progress()) return std::make_unique<Silent>();
    return std::make_unique<ProgressBar>(std::move(task), counted);
}

CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& summary,
                      const std::vector<std::string>& examples) {
    CLI::App* command = parent.add_subcommand(name, summary);
    command->fallthrough();  // options of every command may stand anywhere
    command->footer(fmt::format("{}", fmt::join(examples, "\n")));
    return *command;
}

CLI::Option* add_list(CLI::App& command, const char* name, std::vector<std::string>& values, const char* what,
                      const char* type) {
    return command.add_option(name, values, what)
        ->type_name(type)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void on_run(CLI::App& command, Context& context, Run run) {
    command.callback(
        [&context, run = std::move(run)] { context.run = [&context, run] { return run(context); }; });
}

}  // namespace modelseal::cli
