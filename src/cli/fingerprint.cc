#include <chrono>

#include "cli/commands.h"
#include "cli/device_option.h"
#include "cli/ledger_option.h"
#include "cli/numbers.h"
#include "cli/outputs.h"
#include "cli/passphrase.h"
#include "report/fingerprint_summary.h"
#include <modelseal/fingerprint.h>

namespace modelseal::cli {
namespace {

struct FingerprintFlags {
    std::string model, key, out, customer, passphrase_file, preview, ledger;
    unsigned pairs = 150;
    std::string access = "logits", grid = "none", method = "pairs", schedule = "keyed", device = "auto";
    std::string input_name, input_shape, input_range, mean, std, expires;
    bool json = false;
};

Result<InputOptions> input_of(const FingerprintFlags& options) {
    InputOptions input;
    if (!options.input_name.empty()) input.name = options.input_name;
    MODELSEAL_TRY_ASSIGN(input.shape, extent_list(options.input_shape, "--input-shape"));
    MODELSEAL_TRY_ASSIGN(const auto range, float_list(options.input_range, "--input-range"));
    if (!range.empty() && (range.size() != 2 || range[0] >= range[1])) {
        return Error{ErrorKind::usage, "--input-range takes two ascending numbers, LO,HI", {}};
    }
    if (!range.empty()) input.range = {range[0], range[1]};
    MODELSEAL_TRY_ASSIGN(input.mean, float_list(options.mean, "--mean"));
    MODELSEAL_TRY_ASSIGN(input.std, float_list(options.std, "--std"));
    for (const float value : input.std) {
        if (!(value > 0)) return Error{ErrorKind::usage, "--std takes numbers above 0", {}};
    }
    return input;
}

Result<void> guard_outputs(const FingerprintFlags& options) {
    const std::vector<std::string> inputs = {options.model, options.key, options.customer,
                                             options.passphrase_file, options.ledger};
    MODELSEAL_TRY(refuse_overwriting(options.out, inputs));
    MODELSEAL_TRY(refuse_overwriting(options.preview, inputs));
    MODELSEAL_TRY(refuse_other_content(options.preview, OutputKind::picture, {options.model}));
    return refuse_overwriting(options.preview, {options.out});
}

Result<ExitCode> run(const FingerprintFlags& options, Context& context) {
    MODELSEAL_TRY(guard_outputs(options));
    MODELSEAL_TRY_ASSIGN(auto input, input_of(options));
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    MODELSEAL_TRY_ASSIGN(auto expires, future_time(options.expires, "--expires", now));
    MODELSEAL_TRY_ASSIGN(const auto key,
                         load_signing_key(options.key, passphrase_from(options.passphrase_file)));
    MODELSEAL_TRY_ASSIGN(auto recipient, recipient_of(options.customer, options.ledger, key));
    const auto progress = context.steps("fingerprinting " + options.model);
    FingerprintOptions wanted{.key = key, .check = recipient.check, .pairs = options.pairs};
    wanted.ledger = recipient.book();
    wanted.access = access_of(options.access).value_or(Access::logits);
    wanted.grid = grid_of(options.grid).value_or(Grid::none);
    wanted.schedule = schedule_of(options.schedule).value_or(Schedule::keyed);
    wanted.input = std::move(input);
    wanted.device = options.device;
    wanted.expires = std::move(expires);
    if (!options.preview.empty()) wanted.preview = options.preview;
    wanted.jobs = context.jobs;
    wanted.progress = progress.get();
    MODELSEAL_TRY_ASSIGN(const auto summary, fingerprint_model(options.model, options.out, wanted));
    for (const auto& note : summary.notes) context.terminal.warning(note);
    if (options.json) {
        context.terminal.print(report::to_json(summary, options.out));
    } else if (!context.terminal.quiet()) {
        context.terminal.print(report::to_text(summary, options.out, {.color = context.terminal.color()}));
    }
    return ExitCode::done;
}

void add_input_options(CLI::App& command, FingerprintFlags& options) {
    command.add_option("--input-name", options.input_name, "the input that counts, if the model has several")
        ->type_name("NAME");
    command.add_option("--input-shape", options.input_shape, "of one input; default: from the model")
        ->type_name("C,H,W");
    command
        .add_option("--input-range", options.input_range, "of every element; default: from the model, or 0,1")
        ->type_name("LO,HI");
    command
        .add_option("--mean", options.mean, "the model is given (x - mean) / std; one value, or one a channel")
        ->type_name("M,...");
    command.add_option("--std", options.std, "see --mean")->type_name("S,...");
}

void add_choices(CLI::App& command, FingerprintFlags& options) {
    command.add_option("--access", options.access, "what the service answers with; default: logits")
        ->type_name("logits|probabilities|label")
        ->check(CLI::IsMember({"logits", "probabilities", "label"}));
    command
        .add_option("--grid", options.grid, "u8: inputs on 256 grey levels, which survive PNG; default: none")
        ->type_name("none|u8")
        ->check(CLI::IsMember({"none", "u8"}));
    const CLI::Validator only_pairs(
        [](const std::string& text) {
            return text == "generator" ? std::string("this release makes pairs only") : std::string();
        },
        "");
    command.add_option("--method", options.method, "what is asked: pairs of inputs")
        ->type_name("pairs")
        ->check(only_pairs)
        ->check(CLI::IsMember({"pairs"}));
    command
        .add_option("--schedule", options.schedule,
                    "how pairs are found: keyed, or paper as published, for comparison; default: keyed")
        ->type_name("keyed|paper")
        ->check(CLI::IsMember({"keyed", "paper"}));
}

}  // namespace

void add_fingerprint(CLI::App& program, Context& context) {
    auto options = std::make_shared<FingerprintFlags>();
    auto& command = add_command(program, "fingerprint", "makes a fingerprint for checking a query-only model");
    command.add_option("MODEL", options->model, "TorchScript or ONNX file, sealed or not")->required();
    command
        .add_option("-k,--key", options->key,
                    "the vendor's key that signs, Ed25519 or P-256: a file, or a PKCS#11 URI")
        ->required()
        ->type_name("NAME.key");
    command.add_option("-o,--output", options->out, "where the fingerprint goes")->required()->type_name("FP");
    command
        .add_option("--for", options->customer,
                    "only this customer's check key opens it; with --ledger, a name in it will do")
        ->type_name("CUSTOMER.check");
    add_ledger_option(command, options->ledger, "put down there what was made, when and for whom");
    command.add_option("--pairs", options->pairs, "on each rung; default: 150")
        ->type_name("N")
        ->check(CLI::Range(1u, 10000u));
    add_choices(command, *options);
    add_input_options(command, *options);
    add_device_option(command, options->device);
    command.add_option("--expires", options->expires, "the last day, or time, on which it is good")
        ->type_name("DATE");
    command.add_option("--preview", options->preview, "draw the pairs and their margins")
        ->type_name("FILE.png");
    command.add_flag("--json", options->json, "print modelseal-fingerprint/1 JSON");
    add_passphrase_option(command, options->passphrase_file);
    on_run(command, context, [options](Context& with) { return run(*options, with); });
}

}  // namespace modelseal::cli
