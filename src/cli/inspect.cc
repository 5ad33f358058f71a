#include "jobs/inspect.h"

#include "cli/check_keys.h"
#include "cli/commands.h"

namespace modelseal::cli {
namespace {

struct InspectFlags {
    std::string file;
    CheckKeyFiles keys;
    bool json = false;
};

Result<ExitCode> run(const InspectFlags& options, Context& context) {
    MODELSEAL_TRY_ASSIGN(const auto keys, load_check_keys(options.keys));
    const auto progress = context.progress("looking for the seal of " + options.file);
    MODELSEAL_TRY_ASSIGN(
        const auto inspection,
        inspect(options.file, {.keys = keys, .jobs = context.jobs, .progress = progress.get()}));
    context.terminal.print(options.json ? report::to_json(inspection)
                                        : report::to_text(inspection, {.color = context.terminal.color()}));
    return ExitCode::done;
}

}  // namespace

void add_inspect(CLI::App& program, Context& context) {
    auto options = std::make_shared<InspectFlags>();
    CLI::App& command =
        add_command(program, "inspect", "says what a model, key, receipt, fingerprint, signature or ledger is");
    command
        .add_option("FILE", options->file,
                    "a model file or folder, a key, receipt, fingerprint, signature or ledger")
        ->required();
    add_check_key_options(command, options->keys);
    command.add_flag("--json", options->json, "print JSON (schema modelseal-inspect/1)");
    on_run(command, context, [options](Context& with) { return run(*options, with); });
}

}  // namespace modelseal::cli
