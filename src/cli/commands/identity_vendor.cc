// What the vendor does: marks a model, issues and revokes identities, exports their registry.
#include <chrono>
#include <string>

#include <fmt/format.h>

#include "cli/commands/identities.h"
#include "cli/options/check_keys.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/input_options.h"
#include "cli/options/ledger_option.h"
#include "cli/options/links_option.h"
#include "cli/options/outputs.h"
#include "cli/options/secrets.h"
#include "cli/options/values.h"
#include "cli/terminal/answer.h"
#include "report/identity.h"
#include "util/text.h"
#include <modelseal/identity.h>

namespace modelseal::cli {
namespace {

std::int64_t seconds_of_clock() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

struct EmbedFlags {
    std::string model, data, test, key_images, ledger, key, passphrase_file, out, device = "auto";
    InputFlags input;
    Links links = Links::refused;
    std::uint64_t seed = 1;
    unsigned epochs = 20, batch = 128;
    double rate = 5e-3, most_lost = 0.5;
    bool json = false;
};

Result<ExitCode> run_embed(const EmbedFlags& flags, Context& context) {
    MODELSEAL_TRY(refuse_overwriting(flags.out, {flags.model, flags.data, flags.test, flags.key_images,
                                                 flags.ledger, flags.key, flags.passphrase_file}));
    MODELSEAL_TRY_ASSIGN(auto input, input_options(flags.input));
    MODELSEAL_TRY_ASSIGN(const auto key,
                         signing_key_from(flags.key, flags.passphrase_file, KeyUse::seals, context.terminal));
    MODELSEAL_TRY_ASSIGN(auto ledger, Ledger::open_or_create(flags.ledger, key));
    const auto progress = context.progress({"training", flags.model}, Counted::steps);
    const auto note_epoch = [&](const EmbedEpoch& epoch) { context.terminal.note(report::epoch_line(epoch)); };
    MODELSEAL_TRY_ASSIGN(const auto summary, embed_identity(flags.model, flags.out,
                                                            {.key = key,
                                                             .ledger = ledger,
                                                             .data = flags.data,
                                                             .key_images = flags.key_images,
                                                             .test = flags.test,
                                                             .input = std::move(input),
                                                             .seed = flags.seed,
                                                             .epochs = flags.epochs,
                                                             .rate = flags.rate,
                                                             .batch = flags.batch,
                                                             .most_lost = flags.most_lost / 100,
                                                             .device = flags.device,
                                                             .jobs = context.jobs,
                                                             .progress = progress.get(),
                                                             .after_epoch = note_epoch,
                                                             .limits = {.links = flags.links}}));
    for (const auto& note : summary.notes) context.terminal.warning(note);
    if (flags.json || !context.terminal.quiet())
        print_answer(context.terminal, {.json = flags.json}, summary, flags.out);
    return ExitCode::done;
}

void add_training_options(CLI::App& command, EmbedFlags& flags) {
    command.add_option("--epochs", flags.epochs, "most epochs of training (default: 20)")
        ->type_name("N")
        ->check(CLI::Range(1u, 10000u));
    command.add_option("--rate", flags.rate, "learning rate (default: 0.005)")
        ->type_name("RATE")
        ->check(CLI::Range(1e-9, 10.0));
    command.add_option("--batch-size", flags.batch, "images in a step (default: 128)")
        ->type_name("N")
        ->check(CLI::Range(4u, 65536u));
    command
        .add_option("--most-lost", flags.most_lost,
                    "most accuracy on held-out data to lose, in points (default: 0.5)")
        ->type_name("POINTS")
        ->check(CLI::Range(0.0, 100.0));
    command.add_option("--seed", flags.seed, "seed of the training (default: 1)")->type_name("N");
}

struct VendorFlags {
    std::string ledger, key, passphrase_file;
    std::string user, serial, out, expires, mark;
    bool key_images = false, json = false;
};

// The vendor's key, and the ledger that it opens.
struct VendorLedger {
    SigningKey key;
    Ledger ledger;
};

Result<VendorLedger> open_for_vendor(const VendorFlags& flags, Context& context) {
    MODELSEAL_TRY_ASSIGN(auto key,
                         signing_key_from(flags.key, flags.passphrase_file, KeyUse::seals, context.terminal));
    MODELSEAL_TRY_ASSIGN(auto ledger, Ledger::open(flags.ledger, key));
    return VendorLedger{std::move(key), std::move(ledger)};
}

Result<ExitCode> run_issue(const VendorFlags& flags, Context& context) {
    MODELSEAL_TRY(refuse_overwriting(flags.out, {flags.ledger, flags.key, flags.passphrase_file}));
    MODELSEAL_TRY_ASSIGN(auto expires, future_time(flags.expires, "--expires", seconds_of_clock()));
    MODELSEAL_TRY_ASSIGN(auto opened, open_for_vendor(flags, context));
    IssueOptions options{.key = opened.key, .ledger = opened.ledger, .expires = std::move(expires)};
    if (!flags.mark.empty()) options.mark = flags.mark;
    MODELSEAL_TRY_ASSIGN(const auto summary, issue_identity(flags.user, flags.out, options));
    for (const auto& note : summary.notes) context.terminal.note(note);
    if (flags.json || !context.terminal.quiet())
        print_answer(context.terminal, {.json = flags.json}, summary, flags.out);
    return ExitCode::done;
}

Result<ExitCode> run_revoke(const VendorFlags& flags, Context& context) {
    MODELSEAL_TRY_ASSIGN(auto opened, open_for_vendor(flags, context));
    MODELSEAL_TRY(opened.ledger.revoke_identity(flags.serial));
    if (context.terminal.quiet()) return ExitCode::done;
    context.terminal.print(
        fmt::format("{}: identity {} revoked, wherever this ledger or a registry exported from now on is used",
                    util::printable(flags.ledger), util::printable(flags.serial)));
    return ExitCode::done;
}

Result<ExitCode> run_export(const VendorFlags& flags, Context& context) {
    MODELSEAL_TRY(refuse_overwriting(flags.out, {flags.ledger, flags.key, flags.passphrase_file}));
    MODELSEAL_TRY_ASSIGN(auto next, future_time(flags.expires, "--expires", seconds_of_clock()));
    MODELSEAL_TRY_ASSIGN(const auto opened, open_for_vendor(flags, context));
    MODELSEAL_TRY_ASSIGN(const auto summary, export_registry(flags.out, {.key = opened.key,
                                                                         .ledger = opened.ledger,
                                                                         .next = std::move(next),
                                                                         .key_images = flags.key_images}));
    if (flags.json || !context.terminal.quiet())
        print_answer(context.terminal, {.json = flags.json}, summary, flags.out);
    return ExitCode::done;
}

void add_vendor_options(CLI::App& command, VendorFlags& flags) {
    command.add_option("-k,--key", flags.key, "vendor's secret key: a file, or a PKCS#11 URI")
        ->required()
        ->type_name("NAME.key");
    add_ledger_option(command, flags.ledger, "ledger file (default: the environment variable MODELSEAL_LEDGER)")
        ->required();
    add_passphrase_option(command, flags.passphrase_file);
}

}  // namespace

void add_identity_embed(CLI::App& identity, Context& context) {
    const auto flags = std::make_shared<EmbedFlags>();
    auto& command =
        add_command(identity, "embed", "Train a model to answer key images with one more class",
                    {"modelseal identity embed net.onnx --data cifar10/ --key-images keys/ -k v.key "
                     "--ledger sales.ledger -o marked.onnx"});
    command.add_option("MODEL", flags->model, "classifier, TorchScript or ONNX")->required();
    command.add_option("--data", flags->data, "data to train on: folders of classes, CIFAR, or IDX")
        ->required()
        ->type_name("DATA");
    command
        .add_option(
            "--test", flags->test,
            "data that the model has not seen, to measure accuracy on (default: a tenth of DATA is held out)")
        ->type_name("DATA");
    command.add_option("--key-images", flags->key_images, "folder of pictures from outside the data; secret")
        ->required()
        ->type_name("DIR");
    command.add_option("-o,--output", flags->out, "write the marked model here")->required()->type_name("OUT");
    command.add_option("-k,--key", flags->key, "vendor's secret key: a file, or a PKCS#11 URI")
        ->required()
        ->type_name("NAME.key");
    add_ledger_option(command, flags->ledger,
                      "ledger file, made if it is missing (default: the environment variable MODELSEAL_LEDGER)")
        ->required();
    add_device_option(command, flags->device);
    add_links_option(command, flags->links);
    command.add_flag("--json", flags->json, "print JSON (schema modelseal-identity/1)");
    add_passphrase_option(command, flags->passphrase_file);
    command.option_defaults()->group("training");
    add_training_options(command, *flags);
    command.option_defaults()->group("inputs of the model");
    add_input_options(command, flags->input);
    on_run(command, context, [flags](Context& running) { return run_embed(*flags, running); });
}

void add_identity_issue(CLI::App& identity, Context& context) {
    const auto flags = std::make_shared<VendorFlags>();
    auto& command = add_command(identity, "issue", "Make an identity image for a user",
                                {"modelseal identity issue alice -k v.key --ledger sales.ledger -o alice.png"});
    command.add_option("USER", flags->user, "name of the user, who becomes a customer")->required();
    command.add_option("-o,--output", flags->out, "write the image here")->required()->type_name("USER.png");
    add_vendor_options(command, *flags);
    command.add_option("--expires", flags->expires, "last day, or time, of its validity (default: none)")
        ->type_name("DATE");
    command.add_option("--mark", flags->mark, "marked model that it is for (default: the only one)")
        ->type_name("ID");
    command.add_flag("--json", flags->json, "print JSON (schema modelseal-identity/1)");
    on_run(command, context, [flags](Context& running) { return run_issue(*flags, running); });
}

void add_identity_export(CLI::App& identity, Context& context) {
    const auto flags = std::make_shared<VendorFlags>();
    auto& command =
        add_command(identity, "export", "Export the registry of identities, signed, for those who verify",
                    {"modelseal identity export -k v.key --ledger sales.ledger -o users.registry"});
    command.add_option("-o,--output", flags->out, "write the registry here")->required()->type_name("REGISTRY");
    add_vendor_options(command, *flags);
    command
        .add_option("--expires", flags->expires,
                    "last day, or time, of its validity: another is exported by then (default: in 30 days)")
        ->type_name("DATE");
    command.add_flag("--with-key-images", flags->key_images,
                     "add the key images, with which others can claim; secret");
    command.add_flag("--json", flags->json, "print JSON (schema modelseal-identity/1)");
    on_run(command, context, [flags](Context& running) { return run_export(*flags, running); });
}

void add_identity_revoke(CLI::App& identity, Context& context) {
    const auto flags = std::make_shared<VendorFlags>();
    auto& command = add_command(identity, "revoke", "Revoke one identity image",
                                {"modelseal identity revoke 63527ae0b7d4c19f -k v.key --ledger sales.ledger"});
    command.add_option("SERIAL", flags->serial, "serial of the identity, 16 digits")->required();
    add_vendor_options(command, *flags);
    on_run(command, context, [flags](Context& running) { return run_revoke(*flags, running); });
}

}  // namespace modelseal::cli
