#include "cli/customer_trace.h"

#include "cli/customer.h"
#include "report/ledger.h"

namespace modelseal::cli {
namespace {

struct TraceFlags {
    CustomerOptions common;
    std::string file;
    bool json = false;
};

Result<ExitCode> run(const TraceFlags& options, Context& context) {
    MODELSEAL_TRY_ASSIGN(const auto ledger, open_ledger(options.common));
    const auto progress = context.progress({"tracing", options.file}, Counted::steps);
    MODELSEAL_TRY_ASSIGN(const auto trace,
                         trace_model(options.file, ledger, {.jobs = context.jobs, .progress = progress.get()}));
    if (options.json) {
        context.terminal.print_data(report::to_json(trace));
    } else {
        context.terminal.print(report::to_text(trace, {.color = context.terminal.color()}));
    }
    return trace.outcome == TraceReport::Outcome::customer ? ExitCode::done : ExitCode::nothing;
}

}  // namespace

void add_customer_trace(CLI::App& customer, Context& context) {
    auto options = std::make_shared<TraceFlags>();
    auto& command = add_command(customer, "trace", "Find the customer that a leaked model was sealed for",
                                {"modelseal customer trace leaked.onnx --ledger sales.ledger -k vendor.key"});
    command.add_option("FILE", options->file, "model file, or folder of shards")->required();
    add_customer_options(command, options->common, Key::needed);
    command.add_flag("--json", options->json, "print JSON (schema modelseal-trace/1)");
    on_run(command, context, [options](Context& running) { return run(*options, running); });
}

}  // namespace modelseal::cli
