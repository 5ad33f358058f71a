// The scripts know the commands by their full names, "modelseal hook git", and look up what may follow.
#include <functional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/options/help.h"

namespace modelseal::cli {
namespace {

void for_each_command(const CLI::App& app, const std::function<void(const CLI::App&)>& visit) {
    visit(app);
    for (const CLI::App* command : app.get_subcommands({})) for_each_command(*command, visit);
}

// The command's own options and those of every command, each once.
std::vector<const CLI::Option*> options_of(const CLI::App& command) {
    std::vector<const CLI::Option*> out = command.get_options();
    const CLI::App* root = &command;
    while (root->get_parent() != nullptr) root = root->get_parent();
    if (root == &command) return out;
    for (const CLI::Option* option : root->get_options()) {
        // CLI11 gives every command its own --help and --help-all.
        if (option != root->get_help_ptr() && option != root->get_help_all_ptr()) out.push_back(option);
    }
    return out;
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
    return fmt::format("{}", fmt::join(words, between));
}

// In single quotes. Fish differs from bash and zsh in backslashes only, and descriptions have none.
std::string in_quotes(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

// Words that may follow and are not options: commands, or the choices of a positional argument.
std::vector<std::string> plain_words(const CLI::App& command) {
    std::vector<std::string> words;
    for (const CLI::App* each : command.get_subcommands({})) words.push_back(each->get_name());
    for (const CLI::Option* option : command.get_options()) {
        if (!option->get_positional()) continue;
        for (auto& each : choices(*option)) words.push_back(each);
    }
    return words;
}

// "'modelseal hook git'|'modelseal hook oci'": every path in the tree below the program.
std::string all_command_names(const CLI::App& program) {
    std::vector<std::string> names;
    for_each_command(program, [&](const CLI::App& each) {
        if (each.get_parent() != nullptr) names.push_back(in_quotes(full_name(each)));
    });
    return join(names, "|");
}

// "'modelseal keygen --type'": the option after its command; an option of every command, after any.
std::string pattern(const CLI::App& command, const CLI::Option& option) {
    std::vector<std::string> out;
    for (const auto& each : spellings(option)) {
        out.push_back(command.get_parent() == nullptr ? "*" + in_quotes(" " + each)
                                                      : in_quotes(full_name(command) + " " + each));
    }
    return join(out, "|");
}

// Lines of a case statement over "COMMAND OPTION" for options that take a value: what to do about its choices,
// or about any value. The commands' own options come first.
std::string value_cases(const CLI::App& program, const std::string& offer, const std::string& offer_files) {
    std::vector<std::string> lines;
    for_each_command(program, [&](const CLI::App& command) {
        for (const CLI::Option* option : command.get_options()) {
            if (option->get_positional() || value_name(*option).empty()) continue;
            const auto values = choices(*option);
            lines.push_back(fmt::format(
                "    {}) {} ;;\n", pattern(command, *option),
                values.empty() ? offer_files : fmt::format(fmt::runtime(offer), join(values, " "))));
        }
    });
    return fmt::format("{}", fmt::join(lines.rbegin(), lines.rend(), ""));
}

constexpr std::string_view kBash = R"(# bash completion for modelseal, made by 'modelseal completion bash'.
# To use it: modelseal completion bash > ~/.local/share/bash-completion/completions/modelseal
_modelseal() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=modelseal i words=
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$command ${{COMP_WORDS[i]}}" in
        {commands}) command="$command ${{COMP_WORDS[i]}}" ;;
        esac
    done
    case "$command $before" in
{values}    esac
    case "$command" in
{words}    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _modelseal modelseal
)";

constexpr std::string_view kZsh = R"(#compdef modelseal
# zsh completion for modelseal, made by 'modelseal completion zsh'.
# To use it: modelseal completion zsh > a folder of $fpath/_modelseal
_modelseal() {{
    local before=${{words[CURRENT-1]}} command=modelseal i
    local -a offers
    for ((i = 2; i < CURRENT; i++)); do
        case "$command ${{words[i]}}" in
        {commands}) command="$command ${{words[i]}}" ;;
        esac
    done
    case "$command $before" in
{values}    esac
    case "$command" in
{words}    esac
    if [[ ${{words[CURRENT]}} == -* ]]; then
        _describe -o option offers
    elif (( ${{#offers[(r)[^-]*]}} )); then
        offers=(${{(M)offers:#[^-]*}})
        _describe word offers
    else
        _files
    fi
}}
if [[ ${{funcstack[1]}} == _modelseal ]]; then _modelseal "$@"; else compdef _modelseal modelseal; fi
)";

std::string bash_words(const CLI::App& command) {
    std::vector<std::string> options;
    for (const CLI::Option* option : options_of(command)) {
        for (auto& each : spellings(*option)) options.push_back(each);
    }
    return fmt::format("    {}) if [[ $word == -* ]]; then words={}; else words={}; fi ;;\n",
                       in_quotes(full_name(command)), in_quotes(join(options, " ")),
                       in_quotes(join(plain_words(command), " ")));
}

// "--type:what to make" as _describe takes it.
std::string described(const std::string& word, const std::string& description) {
    return in_quotes(word + ":" + description);
}

std::string zsh_words(const CLI::App& command) {
    std::vector<std::string> offers;
    for (const CLI::App* each : command.get_subcommands({})) {
        offers.push_back(described(each->get_name(), each->get_description()));
    }
    for (const CLI::Option* option : options_of(command)) {
        for (auto& each : option->get_positional() ? choices(*option) : spellings(*option)) {
            offers.push_back(described(each, option->get_description()));
        }
    }
    return fmt::format("    {}) offers=({}) ;;\n", in_quotes(full_name(command)), join(offers, " "));
}

// "__fish_seen_subcommand_from hook; and __fish_seen_subcommand_from git"
std::string fish_condition(const CLI::App& command) {
    std::vector<std::string> parts;
    for (const CLI::App* at = &command; at->get_parent() != nullptr; at = at->get_parent()) {
        parts.insert(parts.begin(), "__fish_seen_subcommand_from " + at->get_name());
    }
    const auto below = plain_words(command);
    if (command.get_parent() == nullptr) return "__fish_use_subcommand";
    if (!command.get_subcommands({}).empty()) {
        parts.push_back("not __fish_seen_subcommand_from " + join(below, " "));
    }
    return join(parts, "; and ");
}

std::string fish_option(const CLI::Option& option, const std::string& condition) {
    std::string line = "complete -c modelseal" + (condition.empty() ? "" : " -n " + in_quotes(condition));
    for (const auto& each : option.get_snames()) line += " -s " + each;
    for (const auto& each : option.get_lnames()) line += " -l " + each;
    if (const auto values = choices(option); !values.empty()) {
        line += " -x -a " + in_quotes(join(values, " "));
    } else if (!value_name(option).empty()) {
        line += " -r -F";
    }
    return line + " -d " + in_quotes(option.get_description()) + "\n";
}

std::string fish_lines(const CLI::App& command) {
    std::string out;
    const std::string condition = fish_condition(command);
    for (const CLI::App* each : command.get_subcommands({})) {
        out += fmt::format("complete -c modelseal -f -n {} -a {} -d {}\n", in_quotes(condition),
                           each->get_name(), in_quotes(each->get_description()));
    }
    for (const CLI::Option* option : command.get_options()) {
        if (!option->get_positional()) {
            if (is_inherited(command, *option)) continue;
            out += fish_option(*option, command.get_parent() == nullptr ? "" : condition);
        } else if (const auto values = choices(*option); !values.empty()) {
            out += fmt::format("complete -c modelseal -f -n {} -a {} -d {}\n", in_quotes(condition),
                               in_quotes(join(values, " ")), in_quotes(option->get_description()));
        }
    }
    return out;
}

template <class Lines>
std::string lines_of_all(const CLI::App& program, Lines lines) {
    std::string out;
    for_each_command(program, [&](const CLI::App& command) { out += lines(command); });
    return out;
}

}  // namespace

std::string bash_completion(const CLI::App& program) {
    return fmt::format(
        kBash, fmt::arg("commands", all_command_names(program)),
        fmt::arg("values",
                 value_cases(program, "COMPREPLY=($(compgen -W '{}' -- \"$word\")); return", "return")),
        fmt::arg("words", lines_of_all(program, bash_words)));
}

std::string zsh_completion(const CLI::App& program) {
    return fmt::format(kZsh, fmt::arg("commands", all_command_names(program)),
                       fmt::arg("values", value_cases(program, "compadd -- {}; return", "_files; return")),
                       fmt::arg("words", lines_of_all(program, zsh_words)));
}

std::string fish_completion(const CLI::App& program) {
    return "# fish completion for modelseal, made by 'modelseal completion fish'.\n"
           "# To use it: modelseal completion fish > ~/.config/fish/completions/modelseal.fish\n" +
           lines_of_all(program, fish_lines);
}

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
