#include <algorithm>
#include <chrono>
#include <utility>

#include "cli/check_keys.h"
#include "cli/commands.h"
#include "cli/device_option.h"
#include "cli/endpoint_options.h"
#include "cli/key_values.h"
#include "cli/outputs.h"
#include "cli/remedies.h"
#include "cli/trust_options.h"
#include "cli/width.h"
#include "io/file.h"
#include "oracle/endpoint.h"
#include "oracle/http/url.h"
#include "policy/decide.h"
#include "report/report.h"
#include <modelseal/seal.h>

namespace modelseal::cli {
namespace {

struct CheckFlags {
    std::vector<std::string> targets, expect, require;
    CheckKeyFiles keys;
    TrustFlags trust;
    std::string fingerprint, signature, responses, rung, device = "auto", html, scheme = "modelseal";
    EndpointFlags endpoint;
    bool black_box = false, weights_only = false, all = false, json = false, sarif = false, html_pairs = false;
};

// What a page states about the run beside its reports.
struct Run {
    std::vector<CheckKey> keys;
    std::chrono::sys_seconds begun;
    std::chrono::duration<double> took{};
};

bool is_required(const CheckFlags& options, const char* what) {
    return std::ranges::find(options.require, what) != options.require.end();
}

// Each with what it needs to have an effect; options of trust have rules of their own.
std::span<const OptionRule> check_rules() {
    static const std::vector<const char*> keys = {"--pub", "--key"};
    static const std::vector<const char*> trust = {"--signer", "--cert-chain", "--trusted-root"};
    static const std::vector<const char*> fingerprint = {"--fingerprint"};
    static const std::vector<OptionRule> rules = {
        {"--expect", keys, &TargetUses::read},
        {"--weights-only", keys, &TargetUses::read},
        {"--scheme", keys, &TargetUses::read},
        {"--signature", trust, &TargetUses::on_disk},
        {"--ignore", trust, &TargetUses::on_disk},
        {"--no-ignore-git-paths", trust, &TargetUses::on_disk},
        {"--ignore-unsigned-files", trust, &TargetUses::on_disk},
        {"--fingerprint", keys},
        {"--black-box", fingerprint},
        {"--html-pairs", fingerprint},
        {"--html-pairs", {"--html"}},
        {"--responses", fingerprint},
        {"--rung", fingerprint},
        {"--device", fingerprint, &TargetUses::run},
        {"--batch", fingerprint, &TargetUses::asked},
        {"--timeout", fingerprint, &TargetUses::served},
        {"--max-seconds", fingerprint, &TargetUses::asked},
        {"--token-file", fingerprint, &TargetUses::http},
        {"--ca", fingerprint, &TargetUses::http},
        {"--retries", fingerprint, &TargetUses::http},
        {"--tensors", fingerprint, &TargetUses::http},
        {"--output", fingerprint, &TargetUses::http},
    };
    return rules;
}

TargetUses uses_of(const CheckFlags& options, const std::vector<std::string>& targets) {
    TargetUses uses;
    if (!options.responses.empty()) return uses;  // the targets are names
    for (const auto& target : targets) {
        const bool served = oracle::is_endpoint(target);
        uses.served |= served;
        uses.http |= oracle::is_http_url(target);
        uses.on_disk |= !served;
        uses.read |= !served && !options.black_box;
        uses.run |= !served && !options.fingerprint.empty();
    }
    uses.asked = uses.served || uses.run;
    return uses;
}

Result<std::vector<CheckKey>> load_keys(const CheckFlags& options) {
    if (options.keys.empty() && options.trust.empty()) {
        return Error{
            ErrorKind::usage, "no key to check with",
            "give the vendor's public key with --pub NAME.pub, or your check key with --key CUSTOMER.check"};
    }
    return load_check_keys(options.keys);
}

// Nothing if no signature is expected.
Result<std::optional<VerifyOptions>> signature_options(const CheckFlags& options) {
    if (!options.trust.empty()) {
        auto wanted = verify_options(options.trust);
        wanted.signature = options.signature;
        return std::optional(std::move(wanted));
    }
    if (!is_required(options, "signature")) return std::optional<VerifyOptions>{};
    return Error{
        ErrorKind::usage, "no key to verify the signature with",
        "give the signer's public key (P-256, P-384, P-521) with --signer PEM, or the certificate of an "
        "authority with --cert-chain PEM"};
}

// What was found goes to standard output; why something could not be checked goes to standard error.
void show_text(const CheckFlags& options, const CheckReport& report, Context& context) {
    auto& terminal = context.terminal;
    const bool failed = report.verdict == Verdict::error;
    const report::TextStyle style{.color = terminal.color(),
                                  .all = options.all,
                                  .width = output_columns(),
                                  .failures = failed ? report::Failures::left_out : report::Failures::listed};
    const auto text = report::to_text(report, style);
    if (!text.empty() && !(terminal.quiet() && report.verdict == Verdict::intact)) terminal.print(text);
    if (!failed) return;
    for (const auto& failure : report::failures_of(report)) terminal.error(failure);
}

report::PageInfo page_info(const CheckFlags& options, const Run& run) {
    report::PageInfo info{.program = "modelseal " MODELSEAL_VERSION, .date = run.begun, .duration = run.took};
    for (const auto& key : run.keys) info.keys.push_back(to_hex(key.vendor.id()));
    if (options.html_pairs) info.pairs = report::PageInfo::Pairs::shown;
    return info;
}

// A page that shows pairs of a fingerprint is as secret as that.
Result<void> write_page(const CheckFlags& options, std::span<const CheckReport> reports, const Run& run) {
    return io::write_text(options.html, report::to_html(reports, page_info(options, run)),
                          options.html_pairs ? 0600 : 0644, io::WriteMode::replace);
}

Result<void> show(const CheckFlags& options, std::span<const CheckReport> reports, const Run& run,
                  Context& context) {
    if (!options.html.empty()) MODELSEAL_TRY(write_page(options, reports, run));
    auto& terminal = context.terminal;
    if (options.json) {
        terminal.print(report::to_json(reports, reports.size() == 1));
    } else if (options.sarif) {
        terminal.print(report::to_sarif(reports, MODELSEAL_VERSION));
    } else {
        for (const auto& report : reports) show_text(options, report, context);
    }
    return {};
}

// Answers that were made offline need no target; one that is given is their name.
Result<std::vector<std::string>> targets_of(const CheckFlags& options) {
    if (options.responses.empty() && options.targets.empty()) {
        return Error{ErrorKind::usage, "nothing to check",
                     "give a model file, a folder, or the URL of a served model"};
    }
    if (!options.responses.empty() && options.targets.size() > 1) {
        return Error{ErrorKind::usage, "--responses are the answers of one model, not of several", {}};
    }
    return options.targets.empty() ? std::vector{options.responses} : options.targets;
}

Result<CheckOptions> check_options(const CheckFlags& options, const std::vector<CheckKey>& keys,
                                   const std::vector<std::string>& targets, const Context& context) {
    CheckOptions wanted{.keys = keys};
    MODELSEAL_TRY_ASSIGN(wanted.signature, signature_options(options));
    MODELSEAL_TRY_ASSIGN(wanted.expect, key_values(options.expect, "--expect"));
    wanted.weights_only = options.weights_only;
    if (options.scheme == "deepisign") wanted.scheme = Scheme::deepisign;
    wanted.all = options.all;
    if (!options.fingerprint.empty()) wanted.fingerprint = options.fingerprint;
    wanted.black_box = options.black_box;
    if (!options.responses.empty()) wanted.responses = options.responses;
    wanted.rung = rung_of(options.rung);
    MODELSEAL_TRY_ASSIGN(wanted.endpoint, endpoint_options(options.endpoint, targets));
    wanted.device = options.device;
    wanted.require_seal = is_required(options, "seal");
    wanted.require_fingerprint = is_required(options, "fingerprint");
    wanted.require_signature = is_required(options, "signature");
    wanted.jobs = context.jobs;
    return wanted;
}

Result<ExitCode> check(const CheckFlags& options, const CLI::App& command, Context& context) {
    const std::vector<std::string> others = {options.fingerprint, options.signature,
                                             options.endpoint.token_file, options.endpoint.ca};
    const auto trusted = options.trust.files();
    for (const auto* inputs :
         {&options.targets, &options.keys.public_keys, &options.keys.check_keys, &others, &trusted}) {
        MODELSEAL_TRY(refuse_overwriting(options.html, *inputs));
    }
    MODELSEAL_TRY(refuse_other_content(options.html, OutputKind::page, options.targets));
    MODELSEAL_TRY_ASSIGN(const auto targets, targets_of(options));
    MODELSEAL_TRY(refuse_idle_options(command, trust_rules()));
    MODELSEAL_TRY(refuse_idle_options(command, check_rules(), uses_of(options, targets)));
    Run run{.begun = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};
    const auto begin = std::chrono::steady_clock::now();
    MODELSEAL_TRY_ASSIGN(run.keys, load_keys(options));
    MODELSEAL_TRY_ASSIGN(auto wanted, check_options(options, run.keys, targets, context));
    std::vector<CheckReport> reports;
    auto code = ExitCode::done;
    for (const auto& target : targets) {
        const auto what = "checking " + target;
        const auto progress = options.fingerprint.empty() ? context.progress(what) : context.steps(what);
        wanted.progress = progress.get();
        reports.push_back(check_model(target, wanted));
        name_options(reports.back());
        code = worst(code, reports.back().exit_code);
    }
    run.took = std::chrono::steady_clock::now() - begin;
    MODELSEAL_TRY(show(options, reports, run, context));
    return code;
}

void add_signature_options(CLI::App& command, CheckFlags& options) {
    command
        .add_option("--signature", options.signature,
                    "OpenSSF signature of the files; default: the one found next to them")
        ->type_name("SIG");
    add_trust_options(command, "--signer", options.trust);
}

void add_fingerprint_options(CLI::App& command, CheckFlags& options) {
    command.add_option("--fingerprint", options.fingerprint, "fingerprint to check a query-only model against")
        ->type_name("FP");
    command.add_flag("--black-box", options.black_box, "query a local file instead of reading its seal");
    command.add_option("--responses", options.responses, "a challenge that was answered, instead of a model")
        ->type_name("DIR");
    command
        .add_option(
            "--rung", options.rung,
            "whose pairs the verdict rests on; default: fp32, or exact on the very runtime of the fingerprint")
        ->type_name("exact|fp32|mixed")
        ->check(CLI::IsMember({"exact", "fp32", "mixed"}));
    add_device_option(command, options.device);
    add_endpoint_options(command, options.endpoint);
}

}  // namespace

void add_check(CLI::App& program, Context& context) {
    auto options = std::make_shared<CheckFlags>();
    auto& command =
        add_command(program, "check", "checks whether models are still as sealed, and reports what changed");
    command.add_option("TARGET", options->targets,
                       "model file, folder of shards, URL of a served model, or exec:COMMAND");
    add_check_key_options(command, options->keys);
    add_list(command, "--expect", options->expect, "the stamp must say so; may be given several times",
             "KEY=VALUE");
    add_list(command, "--require", options->require, "what must be there, one or more, between commas",
             "seal,fingerprint,signature")
        ->delimiter(',')
        ->check(CLI::IsMember({"seal", "fingerprint", "signature"}));
    command.add_flag("--weights-only", options->weights_only,
                     "let a changed frame pass, as after a conversion");
    command
        .add_option("--scheme", options->scheme,
                    "deepisign accepts marks of that scheme as well; default: modelseal")
        ->type_name("SCHEME")
        ->check(CLI::IsMember({"modelseal", "deepisign"}));
    command.add_flag("--all", options->all, "list intact tensors as well");
    auto* json = command.add_flag("--json", options->json, "print modelseal-check/1 JSON");
    command.add_flag("--sarif", options->sarif, "print SARIF 2.1.0")->excludes(json);
    command.add_option("--html", options->html, "write a report page")->type_name("FILE");
    command.add_flag("--html-pairs", options->html_pairs,
                     "show pairs of the fingerprint on that page, which is then secret");
    command.option_defaults()->group("for a signature of the files");
    add_signature_options(command, *options);
    command.option_defaults()->group("for a model that can only be queried");
    add_fingerprint_options(command, *options);
    on_run(command, context, [options, &command](Context& with) { return check(*options, command, with); });
}

}  // namespace modelseal::cli
