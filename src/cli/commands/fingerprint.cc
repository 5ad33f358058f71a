#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/input_options.h"
#include "cli/options/ledger_option.h"
#include "cli/options/links_option.h"
#include "cli/options/option_rules.h"
#include "cli/options/outputs.h"
#include "cli/options/secrets.h"
#include "cli/options/values.h"
#include "cli/terminal/answer.h"
#include "oracle/endpoint.h"
#include <modelseal/fingerprint.h>

namespace modelseal::cli {
namespace {

constexpr const char* kModelOutput = "--model-output";  // --output is the file here

struct FingerprintFlags {
    std::string model, key, out, customer, passphrase_file, preview, ledger, seeds;
    unsigned pairs = 150, triggers = 100, width = 0, steps = GeneratorTraining().steps;
    std::optional<std::uint64_t> seed;
    std::string arm = "both";
    std::string access = "logits", grid = "none", method = "pairs", schedule = "keyed", device = "auto";
    InputFlags input;
    EndpointFlags endpoint;
    Links links = Links::refused;
    std::string expires;
    bool json = false, coverage = false;
};

Result<void> guard_outputs(const FingerprintFlags& options) {
    const std::vector<std::string> inputs = {options.model, options.key, options.customer,
                                             options.passphrase_file, options.ledger};
    MODELSEAL_TRY(refuse_overwriting(options.out, inputs));
    MODELSEAL_TRY(refuse_overwriting(options.preview, inputs));
    MODELSEAL_TRY(refuse_other_content(options.preview, OutputKind::picture, {options.model}));
    return refuse_same_output(options.preview, {options.out});
}

Result<ExitCode> run(const FingerprintFlags& options, Context& context) {
    if (options.out.empty() && !options.coverage) {
        return Error{ErrorKind::usage, "no file for the fingerprint",
                     "give one with -o, or see what it would cover with --coverage"};
    }
    MODELSEAL_TRY(guard_outputs(options));
    MODELSEAL_TRY_ASSIGN(auto input, input_options(options.input));
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    MODELSEAL_TRY_ASSIGN(auto expires, future_time(options.expires, "--expires", now));
    MODELSEAL_TRY_ASSIGN(const auto key, signing_key_from(options.key, options.passphrase_file, KeyUse::seals,
                                                          context.terminal));
    MODELSEAL_TRY_ASSIGN(auto recipient, recipient_of(options.customer, options.ledger, key));
    const auto progress = context.progress({"fingerprinting", options.model}, Counted::steps);
    FingerprintOptions request{.key = key, .check = recipient.check, .pairs = options.pairs};
    request.method = method_of(options.method).value_or(FingerprintMethod::pairs);
    request.triggers = options.triggers;
    request.generator = {
        .width = options.width, .steps = options.steps, .arm = arm_of(options.arm).value_or(Arm::both)};
    request.seed = options.seed;
    request.ledger = recipient.ledger_if_given();
    request.access = access_of(options.access).value_or(Access::logits);
    request.grid = grid_of(options.grid).value_or(Grid::none);
    request.schedule = schedule_of(options.schedule).value_or(Schedule::keyed);
    request.input = std::move(input);
    request.device = options.device;
    MODELSEAL_TRY_ASSIGN(request.endpoint,
                         endpoint_options(options.endpoint, {options.model}, context.terminal));
    request.expires = std::move(expires);
    if (!options.preview.empty()) request.preview = options.preview;
    if (!options.seeds.empty()) request.seeds = options.seeds;
    request.jobs = context.jobs;
    request.progress = progress.get();
    request.limits.links = options.links;
    MODELSEAL_TRY_ASSIGN(const auto summary, fingerprint_model(options.model, options.out, request));
    for (const auto& note : summary.notes) context.terminal.warning(note);
    if (options.json || !context.terminal.quiet()) {
        print_answer(context.terminal, {.json = options.json}, summary, options.out);
    }
    return ExitCode::done;
}

void add_grid_option(CLI::App& command, FingerprintFlags& options) {
    command
        .add_option("--grid", options.grid, "u8: inputs of 256 gray levels, which PNG can hold (default: none)")
        ->type_name("none|u8")
        ->check(CLI::IsMember({"none", "u8"}));
}

void add_access_option(CLI::App& command, FingerprintFlags& options) {
    command.add_option("--access", options.access, "answers of the service (default: logits)")
        ->type_name("logits|probabilities|label")
        ->check(CLI::IsMember({"logits", "probabilities", "label"}));
}

void add_search_options(CLI::App& command, FingerprintFlags& options) {
    command.add_option("--method", options.method, "kind of query (default: pairs)")
        ->type_name("pairs|generator")
        ->check(CLI::IsMember({"pairs", "generator"}));
    command.add_option("--seeds", options.seeds, "search from these PNG or JPEG pictures as well")
        ->type_name("DIR");
    command
        .add_option("--seed", options.seed, "make the same queries again for the same model, key and runtime")
        ->type_name("N");
    command
        .add_option(
            "--schedule", options.schedule,
            "how queries are found; paper (pairs), dbi and aid (generator) are published, for comparison "
            "(default: keyed)")
        ->type_name("keyed|paper|dbi|aid")
        ->check(CLI::IsMember({"keyed", "paper", "dbi", "aid"}));
}

void add_generator_options(CLI::App& command, FingerprintFlags& options) {
    command.add_option("--triggers", options.triggers, "number of triggers (default: 100)")
        ->type_name("N")
        ->check(CLI::Range(1u, 10000u));
    command
        .add_option("--width", options.width,
                    "channels of the generator's layers (default: 64 on a CPU, 512 on a GPU)")
        ->type_name("N")
        ->check(CLI::Range(1u, 1024u));
    command.add_option("--steps", options.steps, "most steps of training (default: 300)")
        ->type_name("N")
        ->check(CLI::Range(1u, 100000u));
    command
        .add_option("--arm", options.arm,
                    "terms of the loss, for comparison with the paper's ablation (default: both)")
        ->type_name("both|classification|variance|none")
        ->check(CLI::IsMember({"both", "classification", "variance", "none"}));
}

// Options of the other method are a mistake, not a wish to be ignored.
Result<void> check_method(const CLI::App& command, const FingerprintFlags& options) {
    const bool pairs = options.method == "pairs";
    const std::vector<const char*> others =
        pairs ? std::vector{"--triggers", "--width", "--steps", "--arm"} : std::vector{"--pairs", "--seeds"};
    for (const auto* other : others) {
        if (command.count(other) == 0) continue;
        return Error{ErrorKind::usage,
                     fmt::format("{} goes with --method {}", other, pairs ? "generator" : "pairs"),
                     {}};
    }
    return {};
}

// Options about where a model runs are mistakes for one that runs elsewhere.
Result<void> refuse_idle(const CLI::App& command, const FingerprintFlags& options) {
    auto rules = endpoint_rules({}, kModelOutput);
    rules.push_back({"--device", {}, &TargetUses::run});
    rules.push_back({"--allow-symlinks", {}, &TargetUses::on_disk});
    const bool served = oracle::is_endpoint(options.model);
    return refuse_idle_options(command, rules,
                               {.on_disk = !served,
                                .run = !served,
                                .served = served,
                                .http = oracle::is_http_url(options.model),
                                .asked = true});
}

}  // namespace

void add_fingerprint(CLI::App& program, Context& context) {
    auto options = std::make_shared<FingerprintFlags>();
    auto& command =
        add_command(program, "fingerprint", "Make a fingerprint for checking a query-only model",
                    {"modelseal fingerprint net.onnx -k vendor.key -o net.fp",
                     "modelseal fingerprint net.pt -k vendor.key -o net.fp --for acme.check",
                     "modelseal fingerprint net.onnx -k vendor.key -o net.fp --method generator",
                     "modelseal fingerprint https://models.example/v2/models/net -k vendor.key -o net.fp"});
    command.add_option("MODEL", options->model, "TorchScript or ONNX file, sealed or not, or a served model")
        ->required();
    command
        .add_option("-k,--key", options->key,
                    "vendor's secret key (Ed25519 or P-256): a file, or a PKCS#11 URI")
        ->required()
        ->type_name("NAME.key");
    auto* out = command.add_option("-o,--output", options->out, "write the fingerprint here")->type_name("FP");
    command
        .add_option("--for", options->customer,
                    "make it for this customer alone: a check key, or with --ledger a name in it")
        ->type_name("CUSTOMER.check");
    add_ledger_option(command, options->ledger, "record the fingerprint in this ledger");
    command.add_option("--pairs", options->pairs, "number of pairs on each rung (default: 150)")
        ->type_name("N")
        ->check(CLI::Range(1u, 10000u));
    add_access_option(command, *options);
    add_device_option(command, options->device);
    command.add_option("--expires", options->expires, "last day, or time, of its validity")->type_name("DATE");
    command
        .add_flag("--coverage", options->coverage,
                  "write nothing, and show what a fingerprint would see of each tensor")
        ->excludes(out);
    command.add_option("--preview", options->preview, "draw the pairs and their margins; secret")
        ->type_name("FILE.png");
    add_links_option(command, options->links);
    command.add_flag("--json", options->json, "print JSON (schema modelseal-fingerprint/1)");
    add_passphrase_option(command, options->passphrase_file);
    command.option_defaults()->group("inputs of the model");
    add_input_options(command, options->input);
    add_several_inputs_option(command, options->input);
    add_grid_option(command, *options);
    command.option_defaults()->group("search");
    add_search_options(command, *options);
    command.option_defaults()->group("generated triggers");
    add_generator_options(command, *options);
    command.option_defaults()->group("served models");
    add_endpoint_options(command, options->endpoint, kModelOutput);
    on_run(command, context, [options, &command](Context& running) -> Result<ExitCode> {
        MODELSEAL_TRY(check_method(command, *options));
        MODELSEAL_TRY(refuse_idle(command, *options));
        return run(*options, running);
    });
}

}  // namespace modelseal::cli
