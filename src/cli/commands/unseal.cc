#include <filesystem>

#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/options/links_option.h"
#include "cli/options/outputs.h"
#include "util/text.h"
#include <modelseal/seal.h>

namespace modelseal::cli {
namespace {

struct UnsealFlags {
    std::string sealed, receipt, out;
    Links links = Links::refused;
};

Result<ExitCode> run(const UnsealFlags& options, Context& context) {
    MODELSEAL_TRY(refuse_overwriting(options.out, {options.sealed, options.receipt}));
    const auto progress = context.progress({"unsealing", options.sealed});
    MODELSEAL_TRY(
        unseal_model(options.sealed, options.receipt, options.out,
                     {.jobs = context.jobs, .progress = progress.get(), .limits = {.links = options.links}}));
    if (!context.terminal.quiet()) {
        // Files that the seal left out are not in the copy.
        std::error_code ignored;
        const bool folder = std::filesystem::is_directory(options.out, ignored);
        context.terminal.print(
            fmt::format("{} {}, {} byte for byte\n", context.terminal.paint(Tone::good, "restored"),
                        util::printable(options.out),
                        folder ? "all files that were sealed, as they were," : "the original"));
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
    add_links_option(command, options->links);
    on_run(command, context, [options](Context& running) { return run(*options, running); });
}

}  // namespace modelseal::cli
