#include "cli/completion.h"

#include "cli/commands.h"

namespace modelseal::cli {

void add_completion(CLI::App& program, Context& context) {
    auto shell = std::make_shared<std::string>();
    CLI::App& command =
        add_command(program, "completion", "Print a script that completes commands and options in a shell",
                    {"modelseal completion bash > ~/.local/share/bash-completion/completions/modelseal"});
    command.add_option("SHELL", *shell, "name of the shell: bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    on_run(command, context, [shell, &program](Context& running) {
        running.terminal.print_data(*shell == "bash"  ? bash_completion(program)
                                    : *shell == "zsh" ? zsh_completion(program)
                                                      : fish_completion(program));
        return ExitCode::done;
    });
}

}  // namespace modelseal::cli
