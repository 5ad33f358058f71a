#include "cli/commands/commands.h"
#include "cli/options/links_option.h"
#include "cli/terminal/answer.h"
#include "cli/terminal/width.h"

namespace modelseal::cli {
namespace {

struct DiffFlags {
    std::string a, b;
    Links links = Links::refused;
    bool json = false, all = false, weights_only = false;
};

Result<ExitCode> run(const DiffFlags& options, Context& context) {
    const auto progress = context.progress({"comparing", options.a});
    MODELSEAL_TRY_ASSIGN(const auto comparison, diff(options.a, options.b,
                                                     {.jobs = context.jobs,
                                                      .weights_only = options.weights_only,
                                                      .progress = progress.get(),
                                                      .limits = {.links = options.links}}));
    if (options.json || !comparison.same() || !context.terminal.quiet()) {
        const report::TextStyle style{
            .all = options.all, .width = output_columns(), .rest = "use --all or --json"};
        print_answer(context.terminal, {.json = options.json, .style = style}, comparison);
    }
    return comparison.same() ? ExitCode::done : ExitCode::mismatch;
}

}  // namespace

void add_diff(CLI::App& program, Context& context) {
    auto options = std::make_shared<DiffFlags>();
    CLI::App& command =
        add_command(program, "diff", "Show which tensors of two models differ, and by how much",
                    {"modelseal diff net.onnx sealed.onnx", "modelseal diff net.pt net.gguf --weights-only"});
    command.add_option("A", options->a, "model file or folder")->required();
    command.add_option("B", options->b, "model to compare it with, of any format")->required();
    command.add_flag("--weights-only", options->weights_only, "compare tensors alone");
    add_links_option(command, options->links);
    command.add_flag("--all", options->all, "list every tensor that differs");
    command.add_flag("--json", options->json, "print JSON (schema modelseal-diff/1)");
    on_run(command, context, [options](Context& running) { return run(*options, running); });
}

}  // namespace modelseal::cli
