#include "cli/program.h"

#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <new>

#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/usage_error.h"

namespace modelseal::cli {
namespace {

void add_common_options(CLI::App& program, Context& context) {
    program.set_help_flag("-h,--help", "show this help");
    program.set_version_flag("--version", "modelseal " MODELSEAL_VERSION, "show the version");
    program.add_option("--jobs", context.jobs, "threads to use; default: one a processor")
        ->type_name("N")
        ->check(CLI::Range(1u, 1024u));
    program.add_flag_callback(
        "--quiet", [&context] { context.terminal.set_quiet(true); }, "print results and errors only");
    static const std::map<std::string, Color> kColors = {
        {"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}};
    program
        .add_option_function<std::string>(
            "--color", [&context](const std::string& when) { context.terminal.set_color(kColors.at(when)); },
            "colour the output: auto, always or never; default: auto")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}));
}

ExitCode report(const Terminal& terminal, const Error& error) {
    terminal.error(error);
    return exit_code(error.kind);
}

ExitCode run_command(Context& context) {
    Result<ExitCode> result = context.run();
    const Result<void> printed = context.terminal.finish();
    if (!result.ok()) return report(context.terminal, result.error());
    if (printed.ok()) return result.value();
    return worst(result.value(), report(context.terminal, printed.error()));
}

ExitCode parse_and_run(int argc, char** argv, Context& context) {
    const std::unique_ptr<CLI::App> program = build_program(context, argc > 1 ? argv[1] : "");
    try {
        program->parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        context.run = [&] {
            context.terminal.print(program->help());
            return ExitCode::done;
        };
    } catch (const CLI::CallForVersion& version) {
        context.run = [&context, text = std::string(version.what())] {
            context.terminal.print(text);
            return ExitCode::done;
        };
    } catch (const CLI::ParseError& error) {
        return report(context.terminal, usage_error(*program, error, argc > 1 ? argv[1] : ""));
    }
    if (const auto complete = refuse_empty_values(*program); !complete.ok()) {
        return report(context.terminal, complete.error());
    }
    return run_command(context);
}

// An exception that nobody caught, in whatever thread: a message and the exit code of a failure, not an abort.
[[noreturn]] void give_up() {
    constexpr char kText[] =
        "modelseal: stopped by an exception that nobody caught; this is a bug in modelseal\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText, sizeof kText - 1);
    ::_exit(static_cast<int>(ExitCode::failed));
}

}  // namespace

std::unique_ptr<CLI::App> build_program(Context& context, std::string_view chosen) {
    auto program = std::make_unique<CLI::App>(
        "seals neural-network model files and tells whether they are still what was shipped", "modelseal");
    program->formatter(help_formatter());
    program->require_subcommand(1);
    program->footer("'modelseal COMMAND --help' tells more about a command.");
    add_common_options(*program, context);
    add_commands(*program, context, chosen);
    return program;
}

int run_program(int argc, char** argv) {
    std::set_terminate(give_up);
    // A reader that went away shows as a failed write, which Terminal and the oracles handle.
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
