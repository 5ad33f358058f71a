#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/options/outputs.h"
#include "util/text.h"
#include <modelseal/seal.h>

namespace modelseal::cli {
namespace {

struct UnsealFlags {
    std::string sealed, receipt, out;
};

Result<ExitCode> run(const UnsealFlags& options, Context& context) {
    MODELSEAL_TRY(refuse_overwriting(options.out, {options.sealed, options.receipt}));
    const auto progress = context.progress({"unsealing", options.sealed});
    MODELSEAL_TRY(unseal_model(options.sealed, options.receipt, options.out,
                               {.jobs = context.jobs, .progress = progress.get()}));
    if (!context.terminal.quiet()) {
        context.terminal.print(fmt::format("{} {}, the original byte for byte\n",
                                           context.terminal.paint(Tone::good, "restored"),
                                           util::printable(options.out)));
    }
    return ExitCode::done;
}

}  // namespace

void add_unseal(CLI::App& program, Context& context) {
    auto options = std::make_shared<UnsealFlags>();
    auto& command = add_command(program, "unseal", "Restore the original of a sealed model from its receipt",
                                {"modelseal unseal sealed.onnx --receipt net.receipt -o net.onnx"});
    command.add_option("SEALED", options->sealed, "sealed model file or folder")->required();
    command.add_option("--receipt", options->receipt, "file that 'seal --receipt' wrote")
        ->required()
        ->type_name("FILE");
    command.add_option("-o,--output", options->out, "write the original here")->required()->type_name("OUT");
    on_run(command, context, [options](Context& running) { return run(*options, running); });
}

}  // namespace modelseal::cli
