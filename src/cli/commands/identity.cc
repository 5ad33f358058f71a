#include "report/identity.h"

#include <chrono>
#include <cstdlib>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/input_options.h"
#include "cli/options/ledger_option.h"
#include "cli/options/option_rules.h"
#include "cli/options/outputs.h"
#include "cli/options/remedies.h"
#include "cli/options/secrets.h"
#include "cli/options/values.h"
#include "cli/terminal/answer.h"
#include "io/file.h"
#include "oracle/endpoint.h"
#include "util/text.h"
#include <modelseal/identity.h>

namespace modelseal::cli {
namespace {

std::int64_t seconds_of_clock() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

// --- for the vendor: embed

struct EmbedFlags {
    std::string model, data, test, key_images, ledger, key, passphrase_file, out, device = "auto";
    InputFlags input;
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
                                                             .after_epoch = note_epoch}));
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

void add_embed(CLI::App& identity, Context& context) {
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
    command.add_flag("--json", flags->json, "print JSON (schema modelseal-identity/1)");
    add_passphrase_option(command, flags->passphrase_file);
    command.option_defaults()->group("training");
    add_training_options(command, *flags);
    command.option_defaults()->group("inputs of the model");
    add_input_options(command, flags->input);
    on_run(command, context, [flags](Context& running) { return run_embed(*flags, running); });
}

// --- for the vendor: issue, revoke, export

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

void add_issue(CLI::App& identity, Context& context) {
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

void add_revoke(CLI::App& identity, Context& context) {
    const auto flags = std::make_shared<VendorFlags>();
    auto& command = add_command(identity, "revoke", "Revoke one identity image",
                                {"modelseal identity revoke 63527ae0b7d4c19f -k v.key --ledger sales.ledger"});
    command.add_option("SERIAL", flags->serial, "serial of the identity, 16 digits")->required();
    add_vendor_options(command, *flags);
    on_run(command, context, [flags](Context& running) { return run_revoke(*flags, running); });
}

void add_export(CLI::App& identity, Context& context) {
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

// --- for those who check: verify, claim

struct CheckerFlags {
    std::string target, image, mark, html, device = "auto";
    std::string ledger, key, passphrase_file, registry, pub, newest;
    EndpointFlags endpoint;
    bool json = false;
};

// Keys and files that an IdentitySource refers to.
struct RegistrySource {
    std::optional<SigningKey> key;
    IdentitySource source;
};

Result<std::string> ledger_of(const CheckerFlags& flags) {
    if (!flags.ledger.empty() && !flags.registry.empty())
        return Error{ErrorKind::usage, "--ledger and --registry exclude each other", {}};
    if (!flags.ledger.empty() || !flags.registry.empty()) return flags.ledger;
    const char* named = std::getenv("MODELSEAL_LEDGER");
    if (named != nullptr && *named != '\0') return std::string(named);
    return Error{ErrorKind::usage, "nothing states who is registered",
                 "give the vendor's ledger with --ledger FILE, or an exported registry with --registry FILE"};
}

Result<RegistrySource> source_of(const CheckerFlags& flags, Context& context) {
    RegistrySource out;
    MODELSEAL_TRY_ASSIGN(const auto ledger, ledger_of(flags));
    if (!ledger.empty()) out.source.ledger = ledger;
    if (!flags.registry.empty()) out.source.registry = flags.registry;
    if (!flags.key.empty()) {
        MODELSEAL_TRY_ASSIGN(
            out.key, signing_key_from(flags.key, flags.passphrase_file, KeyUse::seals, context.terminal));
    }
    if (!flags.pub.empty()) {
        MODELSEAL_TRY_ASSIGN(out.source.vendor, public_key_from(flags.pub, KeyUse::seals));
    }
    if (!flags.newest.empty()) out.source.newest = flags.newest;
    return out;
}

Result<IdentityTarget> target_of(const CheckerFlags& flags, Context& context, Progress* progress) {
    IdentityTarget target{.device = flags.device, .jobs = context.jobs, .progress = progress};
    MODELSEAL_TRY_ASSIGN(target.endpoint, endpoint_options(flags.endpoint, {flags.target}, context.terminal));
    return target;
}

Result<void> refuse_idle(const CLI::App& command, const CheckerFlags& flags) {
    static const std::vector<OptionRule> rules = {
        {"--registry", {"--pub"}},
        {"--device", {}, &TargetUses::run},
        {"--token-file", {}, &TargetUses::http},
        {"--header", {}, &TargetUses::http},
        {"--ca", {}, &TargetUses::http},
        {"--client-cert", {}, &TargetUses::http},
        {"--client-key", {}, &TargetUses::http},
        {"--client-key", {"--client-cert"}},
        {"--retries", {}, &TargetUses::http},
        {"--tensors", {}, &TargetUses::http},
        {"--output", {}, &TargetUses::http},
        {"--timeout", {}, &TargetUses::served},
        {"--batch", {}, &TargetUses::served},
    };
    const bool served = oracle::is_endpoint(flags.target);
    if (!flags.registry.empty() && !flags.key.empty())
        return Error{ErrorKind::usage, "-k is about a ledger; a registry is verified with --pub NAME.pub", {}};
    return refuse_idle_options(
        command, rules,
        {.run = !served, .served = served, .http = oracle::is_http_url(flags.target), .asked = true});
}

Result<void> guard_outputs_of(const CheckerFlags& flags) {
    const std::vector<std::string> inputs = {flags.target,   flags.image, flags.ledger,         flags.key,
                                             flags.registry, flags.pub,   flags.passphrase_file};
    MODELSEAL_TRY(refuse_overwriting(flags.html, inputs));
    MODELSEAL_TRY(refuse_overwriting(flags.newest, inputs));
    if (!flags.newest.empty()) MODELSEAL_TRY(refuse_overwriting(flags.html, {flags.newest}));
    return refuse_other_content(flags.html, OutputKind::page, {flags.target});
}

// The report in the form that was asked for. If the page cannot be written, the worse of both codes counts.
template <class Report>
ExitCode print_report(const CheckerFlags& flags, const Report& report, ExitCode code,
                      std::chrono::steady_clock::time_point begin, Context& context) {
    auto& terminal = context.terminal;
    if (!flags.json) {
        for (const auto& warning : report.warnings) terminal.warning(warning);
    }
    if (flags.json || !terminal.quiet() || code != ExitCode::done)
        print_answer(terminal, {.json = flags.json}, report);
    if (flags.html.empty()) return code;
    const report::PageInfo info{
        .program = "modelseal " MODELSEAL_VERSION,
        .date = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
        .duration = std::chrono::steady_clock::now() - begin,
        .keys = {}};
    // A key image on a page is for its readers alone.
    const auto written =
        io::write_text(flags.html, report::to_html(report, info), 0600, io::WriteMode::replace);
    if (written.ok()) return code;
    terminal.error(written.error());
    return worst(code, exit_code(written.error().kind));
}

Result<IdentityReport> verify_with(const CheckerFlags& flags, Context& context) {
    MODELSEAL_TRY_ASSIGN(auto source, source_of(flags, context));
    if (source.key) source.source.key = &*source.key;
    const auto progress = context.progress({"verifying", flags.image}, Counted::steps);
    VerifyIdentityOptions options{.source = std::move(source.source)};
    MODELSEAL_TRY_ASSIGN(options.target, target_of(flags, context, progress.get()));
    return verify_identity(flags.target, flags.image, options);
}

Result<ClaimReport> claim_with(const CheckerFlags& flags, Context& context) {
    MODELSEAL_TRY_ASSIGN(auto source, source_of(flags, context));
    if (source.key) source.source.key = &*source.key;
    const auto progress = context.progress({"claiming", flags.target}, Counted::steps);
    ClaimOptions options{.source = std::move(source.source)};
    if (!flags.mark.empty()) options.mark = flags.mark;
    MODELSEAL_TRY_ASSIGN(options.target, target_of(flags, context, progress.get()));
    return claim_ownership(flags.target, options);
}

// Programs that read JSON learn of an error there, too.
Error failure(const CheckerFlags& flags, const char* command, Error error, Context& context) {
    error.hint = hint_of(error);
    if (flags.json) context.terminal.print_data(report::identity_error_json(command, flags.target, error));
    return error;
}

Result<ExitCode> run_verify(const CheckerFlags& flags, const CLI::App& command, Context& context) {
    MODELSEAL_TRY(refuse_idle(command, flags));
    MODELSEAL_TRY(guard_outputs_of(flags));
    const auto begin = std::chrono::steady_clock::now();
    auto report = verify_with(flags, context);
    if (!report.ok()) return failure(flags, "verify", std::move(report).error(), context);
    const bool admitted = report->admission == Admission::admitted;
    return print_report(flags, *report, admitted ? ExitCode::done : ExitCode::mismatch, begin, context);
}

Result<ExitCode> run_claim(const CheckerFlags& flags, const CLI::App& command, Context& context) {
    MODELSEAL_TRY(refuse_idle(command, flags));
    MODELSEAL_TRY(guard_outputs_of(flags));
    const auto begin = std::chrono::steady_clock::now();
    auto report = claim_with(flags, context);
    if (!report.ok()) return failure(flags, "claim", std::move(report).error(), context);
    return print_report(flags, *report, report->owned ? ExitCode::done : ExitCode::mismatch, begin, context);
}

void add_source_options(CLI::App& command, CheckerFlags& flags) {
    command
        .add_option("--ledger", flags.ledger,
                    "vendor's ledger (default: the environment variable MODELSEAL_LEDGER)")
        ->type_name("FILE");
    command.add_option("-k,--key", flags.key, "vendor's secret key, to verify the ledger")
        ->type_name("NAME.key");
    command.add_option("--registry", flags.registry, "registry that the vendor exported, instead of a ledger")
        ->type_name("FILE");
    command.add_option("--pub", flags.pub, "vendor's public key, which a registry must be signed with")
        ->type_name("NAME.pub");
    command
        .add_option("--newest", flags.newest,
                    "remember the newest state here, and refuse an earlier one; made if it is missing")
        ->type_name("FILE");
}

void add_checker_options(CLI::App& command, CheckerFlags& flags) {
    add_device_option(command, flags.device);
    command.add_flag("--json", flags.json, "print JSON (schema modelseal-identity/1)");
    command.add_option("--html", flags.html, "write a report page to this file")->type_name("FILE");
    add_passphrase_option(command, flags.passphrase_file);
    command.option_defaults()->group("served models");
    add_endpoint_options(command, flags.endpoint);
}

void add_verify_identity(CLI::App& identity, Context& context) {
    const auto flags = std::make_shared<CheckerFlags>();
    auto& command = add_command(
        identity, "verify", "Verify that a model admits the user of an identity image",
        {"modelseal identity verify https://host/v2/models/net --image alice.png --ledger sales.ledger",
         "modelseal identity verify net.onnx --image alice.png --registry users.registry --pub v.pub"});
    command.add_option("TARGET", flags->target, "model file, URL of a served model, or exec:COMMAND")
        ->required();
    command.add_option("--image", flags->image, "identity image of the user")
        ->required()
        ->type_name("USER.png");
    add_source_options(command, *flags);
    add_checker_options(command, *flags);
    on_run(command, context,
           [flags, &command](Context& running) { return run_verify(*flags, command, running); });
}

void add_claim(CLI::App& identity, Context& context) {
    const auto flags = std::make_shared<CheckerFlags>();
    auto& command = add_command(identity, "claim", "Show that a model is the marked one, with its key images",
                                {"modelseal identity claim https://host/v2/models/net --ledger sales.ledger"});
    command.add_option("TARGET", flags->target, "model file, URL of a served model, or exec:COMMAND")
        ->required();
    command.add_option("--mark", flags->mark, "marked model that it is (default: the only one)")
        ->type_name("ID");
    add_source_options(command, *flags);
    add_checker_options(command, *flags);
    on_run(command, context,
           [flags, &command](Context& running) { return run_claim(*flags, command, running); });
}

}  // namespace

void add_identity(CLI::App& program, Context& context) {
    CLI::App& identity = add_command(
        program, "identity", "Admit users by identity images, and claim a marked model",
        {"modelseal identity embed net.onnx --data cifar10/ --key-images keys/ -k v.key --ledger sales.ledger "
         "-o marked.onnx",
         "modelseal identity issue alice -k v.key --ledger sales.ledger -o alice.png",
         "modelseal identity verify net.onnx --image alice.png --registry users.registry --pub v.pub",
         "modelseal identity claim https://host/v2/models/net --ledger sales.ledger"});
    identity.require_subcommand(1);
    add_embed(identity, context);
    add_issue(identity, context);
    add_verify_identity(identity, context);
    add_claim(identity, context);
    add_export(identity, context);
    add_revoke(identity, context);
}

}  // namespace modelseal::cli
