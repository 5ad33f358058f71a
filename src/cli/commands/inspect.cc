#include <array>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/links_option.h"
#include "cli/options/option_rules.h"
#include "cli/terminal/answer.h"
#include "oracle/endpoint.h"

namespace modelseal::cli {
namespace {

struct InspectFlags {
    std::string file;
    CheckKeyFiles keys;
    EndpointFlags server;
    Links links = Links::refused;
    bool json = false;
};

constexpr std::array kOfServers = {"--token-file", "--header",  "--ca",          "--client-cert",
                                   "--client-key", "--timeout", "--max-seconds", "--retries"};

Result<ExitCode> run(const InspectFlags& options, const CLI::App& command, Context& context) {
    const bool web = oracle::is_http_url(options.file);
    std::vector<OptionRule> rules = {{"--allow-symlinks", {}, &TargetUses::on_disk}};
    for (const auto* of_servers : kOfServers) rules.push_back({of_servers, {}, &TargetUses::http});
    MODELSEAL_TRY(refuse_idle_options(command, rules, {.on_disk = !web, .http = web}));
    KeySet keys;
    MODELSEAL_TRY(keys.add_for_seals(options.keys));
    EndpointOptions endpoint;
    if (web) {
        MODELSEAL_TRY_ASSIGN(endpoint, endpoint_options(options.server, {options.file}, context.terminal));
    }
    const auto progress = context.progress({"inspecting", options.file});
    MODELSEAL_TRY_ASSIGN(const auto inspection, inspect(options.file, {.keys = keys.for_seals(),
                                                                       .jobs = context.jobs,
                                                                       .progress = progress.get(),
                                                                       .limits = {.links = options.links},
                                                                       .endpoint = std::move(endpoint)}));
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
        {"modelseal inspect net.onnx", "modelseal inspect https://host/net.safetensors --pub vendor.pub"});
    command
        .add_option("FILE", options->file,
                    "model file or folder, key, receipt, fingerprint, signature, ledger, identity image or "
                    "registry; or the "
                    "URL of a model file, key or signature")
        ->required();
    add_check_key_options(command, options->keys);
    add_links_option(command, options->links);
    command.add_flag("--json", options->json, "print JSON (schema modelseal-inspect/1)");
    command.option_defaults()->group("files on a web server");
    add_server_options(command, options->server);
    on_run(command, context, [options, &command](Context& running) { return run(*options, command, running); });
}

}  // namespace modelseal::cli
