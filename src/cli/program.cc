#include "cli/program.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "cli/commands/commands.h"
#include "cli/options/help.h"
#include "cli/options/remedies.h"
#include "cli/options/usage_error.h"
#include "report/failure.h"

namespace modelseal::cli {
namespace {

void add_common_options(CLI::App& program, Context& context) {
    program.set_help_flag("-h,--help", "show this help");
    program.set_help_all_flag("--help-all", "show the help with all options");
    program.set_version_flag("-V,--version", "modelseal " MODELSEAL_VERSION, "show the version");
    program.add_option("--jobs", context.jobs, "number of threads (default: one per CPU)")
        ->type_name("N")
        ->check(CLI::Range(1u, 1024u));
    program.add_flag_callback(
        "--quiet", [&context] { context.terminal.set_quiet(true); },
        "print only errors, failed checks and requested data");
    static const std::map<std::string, Color> kColors = {
        {"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}};
    program
        .add_option_function<std::string>(
            "--color", [&context](const std::string& when) { context.terminal.set_color(kColors.at(when)); },
            "color the output: auto, always or never (default: auto)")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}));
}

ExitCode report(Terminal& terminal, const Error& error) {
    terminal.error(error);
    return exit_code(error.kind);
}

const CLI::App& innermost(const CLI::App& program) {
    const CLI::App* at = &program;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return *at;
}

// Also as JSON, if the user asked for that and the command has printed none of its own.
ExitCode report(const CLI::App& program, const std::vector<const char*>& words, Terminal& terminal,
                const Error& error) {
    const bool json = std::ranges::count(words, std::string_view("--json")) > 0;
    if (json && !terminal.has_printed()) {
        const auto& command = innermost(program);
        const auto name = full_name(command);
        const auto space = name.find(' ');
        auto shown = error;
        shown.hint = hint_of(error);
        terminal.print_data(
            report::to_json(space == name.npos ? std::string_view() : std::string_view(name).substr(space + 1),
                            shown, exit_code(error.kind)));
    }
    return report(terminal, error);
}

ExitCode run_command(const CLI::App& program, const std::vector<const char*>& words, Context& context) {
    Result<ExitCode> result = context.run();
    const auto code = result.ok() ? result.value() : report(program, words, context.terminal, result.error());
    const Result<void> printed = context.terminal.finish();
    return printed.ok() ? code : worst(code, report(context.terminal, printed.error()));
}

// The words of the command line, with "help" and "version" replaced by --help and --version.
std::vector<const char*> words_of(int argc, char** argv) {
    std::vector<const char*> words(argv, argv + argc);
    if (argc < 2) return words;
    const std::string_view first = words[1];
    if (first == "version") words[1] = "--version";
    if (first == "help") {
        words.erase(words.begin() + 1);
        words.push_back("--help");
    }
    return words;
}

void run_text(Context& context, std::string text) {
    context.run = [&context, text = std::move(text)] {
        context.terminal.print_data(text);
        return ExitCode::done;
    };
}

ExitCode parse_and_run(int argc, char** argv, Context& context) {
    const auto words = words_of(argc, argv);
    const std::string_view first = words.size() > 1 ? words[1] : "";
    const std::unique_ptr<CLI::App> program = build_program(context, first);
    try {
        program->parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::CallForHelp& help) {
        const bool unknown = program->get_subcommands().empty() && !program->remaining().empty();
        if (unknown) return report(*program, words, context.terminal, usage_error(*program, help, first));
        run_text(context, program->help());
    } catch (const CLI::CallForAllHelp&) {
        run_text(context, program->help("", CLI::AppFormatMode::All));
    } catch (const CLI::CallForVersion& version) {
        run_text(context, version.what());
    } catch (const CLI::ParseError& error) {
        if (!lacks_command(*program, error)) {
            const auto code = report(*program, words, context.terminal, usage_error(*program, error, first));
            static_cast<void>(context.terminal.finish());
            return code;
        }
        context.terminal.print_usage(program->help());
        return ExitCode::usage;
    }
    if (const auto complete = refuse_empty_values(*program); !complete.ok()) {
        return report(*program, words, context.terminal, complete.error());
    }
    return run_command(*program, words, context);
}

// An uncaught exception, in any thread: a message and the exit code of a failure, not an abort.
[[noreturn]] void give_up() {
    constexpr char kText[] = "modelseal: stopped by an uncaught exception; this is a bug in modelseal\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText, sizeof kText - 1);
    ::_exit(static_cast<int>(ExitCode::failed));
}

}  // namespace

std::unique_ptr<CLI::App> build_program(Context& context, std::string_view chosen) {
    auto program = std::make_unique<CLI::App>("Seal neural-network models, and check that they are unchanged",
                                              "modelseal");
    program->formatter(help_formatter());
    program->require_subcommand(1);
    program->footer("'modelseal help COMMAND' shows the options of a command and examples.");
    add_common_options(*program, context);
    add_commands(*program, context, chosen);
    return program;
}

int run_program(int argc, char** argv) {
    std::set_terminate(give_up);
    // A closed pipe is then a failed write, which Terminal and the oracles handle.
    std::signal(SIGPIPE, SIG_IGN);
    Context context;
    ExitCode code = ExitCode::failed;
    try {
        code = parse_and_run(argc, argv, context);
    } catch (const std::bad_alloc&) {
        std::fputs("modelseal: out of memory\n", stderr);
    } catch (const std::exception& exception) {
        context.terminal.error({ErrorKind::internal, std::string("unexpected: ") + exception.what(), ""});
    }
    return static_cast<int>(code);
}

}  // namespace modelseal::cli
