#include "report/policy.h"

#include <string>

#include "cli/commands/commands.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/links_option.h"
#include "cli/options/remedies.h"
#include "cli/terminal/width.h"
#include <modelseal/policy.h>

namespace modelseal::cli {
namespace {

struct PolicyTestFlags {
    std::string policy, target, name, device = "auto";
    EndpointFlags endpoint;
    Links links = Links::refused;
    bool json = false;
};

Result<ExitCode> run_test(const PolicyTestFlags& flags, Context& context) {
    MODELSEAL_TRY_ASSIGN(const auto policy, Policy::load(flags.policy));
    PolicyCheckOptions options{
        .name = flags.name, .device = flags.device, .jobs = context.jobs, .limits = {.links = flags.links}};
    MODELSEAL_TRY_ASSIGN(options.endpoint, endpoint_options(flags.endpoint, {flags.target}, context.terminal));
    const auto progress = context.progress({"checking", flags.target});
    options.progress = progress.get();
    MODELSEAL_TRY_ASSIGN(auto report, policy.check(flags.target, options));
    name_options(report);
    if (flags.json) {
        context.terminal.print_data(report::policy_json(report));
    } else {
        context.terminal.print(
            report::policy_text(report, {.color = context.terminal.color(), .width = output_columns()}));
    }
    return report.exit_code;
}

}  // namespace

void add_policy(CLI::App& program, Context& context) {
    auto& policy = add_command(program, "policy", "Try a policy on a model",
                               {"modelseal policy test modelseal-policy.toml acme/resnet-50.onnx"});
    policy.require_subcommand(1);
    const auto flags = std::make_shared<PolicyTestFlags>();
    auto& command = add_command(policy, "test", "Explain what a policy makes of a model",
                                {"modelseal policy test modelseal-policy.toml acme/resnet-50.onnx",
                                 "modelseal policy test p.toml upload.tmp --name acme/resnet-50.onnx"});
    command.add_option("POLICY", flags->policy, "policy, a TOML file")->required();
    command.add_option("TARGET", flags->target, "model file, folder, URL of a served model, or exec:COMMAND")
        ->required();
    command.add_option("--name", flags->name, "name by which rules are looked up (default: the target)")
        ->type_name("NAME");
    add_links_option(command, flags->links);
    command.add_flag("--json", flags->json, "print JSON (schema modelseal-policy/1)");
    command.option_defaults()->group("query-only models");
    add_device_option(command, flags->device);
    add_endpoint_options(command, flags->endpoint);
    on_run(command, context, [flags](Context& running) { return run_test(*flags, running); });
}

}  // namespace modelseal::cli
