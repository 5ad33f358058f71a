#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/links_option.h"
#include "cli/terminal/answer.h"

namespace modelseal::cli {
namespace {

struct InspectFlags {
    std::string file;
    CheckKeyFiles keys;
    Links links = Links::refused;
    bool json = false;
};

Result<ExitCode> run(const InspectFlags& options, Context& context) {
    KeySet keys;
    MODELSEAL_TRY(keys.add_for_seals(options.keys));
    const auto progress = context.progress({"inspecting", options.file});
    MODELSEAL_TRY_ASSIGN(const auto inspection, inspect(options.file, {.keys = keys.for_seals(),
                                                                       .jobs = context.jobs,
                                                                       .progress = progress.get(),
                                                                       .limits = {.links = options.links}}));
    print_answer(context.terminal, {.json = options.json}, inspection);
    if (!options.json && inspection.model && !inspection.seal) {
        context.terminal.hint("give --pub or --key to look for a seal");
    }
    return ExitCode::done;
}

}  // namespace

void add_inspect(CLI::App& program, Context& context) {
    auto options = std::make_shared<InspectFlags>();
    CLI::App& command = add_command(
        program, "inspect", "Show what is in a model, key, receipt, signature, ledger or identity image",
        {"modelseal inspect net.onnx", "modelseal inspect sealed.onnx --pub vendor.pub --json"});
    command
        .add_option(
            "FILE", options->file,
            "model file or folder, key, receipt, fingerprint, signature, ledger, identity image or registry")
        ->required();
    add_check_key_options(command, options->keys);
    add_links_option(command, options->links);
    command.add_flag("--json", options->json, "print JSON (schema modelseal-inspect/1)");
    on_run(command, context, [options](Context& running) { return run(*options, running); });
}

}  // namespace modelseal::cli
