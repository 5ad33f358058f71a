// What others ask of a model: whether it admits a user, and whose it is.
#include <chrono>
#include <cstdlib>
#include <string>

#include "cli/commands/identities.h"
#include "cli/options/check_keys.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/links_option.h"
#include "cli/options/option_rules.h"
#include "cli/options/outputs.h"
#include "cli/options/remedies.h"
#include "cli/options/secrets.h"
#include "cli/terminal/answer.h"
#include "io/file.h"
#include "oracle/endpoint.h"
#include "report/identity.h"
#include <modelseal/identity.h>

namespace modelseal::cli {
namespace {

struct CheckerFlags {
    std::string target, image, mark, html, device = "auto";
    std::string ledger, key, passphrase_file, registry, pub, newest;
    EndpointFlags endpoint;
    Links links = Links::refused;
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
    IdentityTarget target{
        .device = flags.device, .jobs = context.jobs, .progress = progress, .limits = {.links = flags.links}};
    MODELSEAL_TRY_ASSIGN(target.endpoint, endpoint_options(flags.endpoint, {flags.target}, context.terminal));
    return target;
}

Result<void> refuse_idle(const CLI::App& command, const CheckerFlags& flags) {
    std::vector<OptionRule> rules = {
        {"--registry", {"--pub"}},
        {"--device", {}, &TargetUses::run},
        {"--allow-symlinks", {}, &TargetUses::on_disk},
        {"--batch", {}, &TargetUses::served},
    };
    std::ranges::move(endpoint_rules(), std::back_inserter(rules));
    const bool served = oracle::is_endpoint(flags.target);
    if (!flags.registry.empty() && !flags.key.empty())
        return Error{ErrorKind::usage, "-k is about a ledger; a registry is verified with --pub NAME.pub", {}};
    return refuse_idle_options(command, rules,
                               {.on_disk = !served,
                                .run = !served,
                                .served = served,
                                .http = oracle::is_http_url(flags.target),
                                .asked = true});
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
    add_links_option(command, flags.links);
    command.add_flag("--json", flags.json, "print JSON (schema modelseal-identity/1)");
    command.add_option("--html", flags.html, "write a report page to this file")->type_name("FILE");
    add_passphrase_option(command, flags.passphrase_file);
    command.option_defaults()->group("served models");
    add_endpoint_options(command, flags.endpoint);
}

}  // namespace

void add_identity_verify(CLI::App& identity, Context& context) {
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

void add_identity_claim(CLI::App& identity, Context& context) {
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

}  // namespace modelseal::cli
