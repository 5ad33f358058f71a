#include <algorithm>
#include <utility>

#include "cli/check_keys.h"
#include "cli/commands.h"
#include "cli/device_option.h"
#include "cli/endpoint_options.h"
#include "cli/key_values.h"
#include "cli/outputs.h"
#include "cli/trust_options.h"
#include "cli/width.h"
#include "io/file.h"
#include "report/fingerprint_words.h"
#include "report/report.h"
#include "report/signature_words.h"
#include <modelseal/seal.h>

namespace modelseal::cli {
namespace {

struct CheckFlags {
    std::vector<std::string> targets, expect, require;
    CheckKeyFiles keys;
    TrustFlags trust;
    std::string fingerprint, signature, responses, rung, device = "auto", html;
    EndpointFlags endpoint;
    bool black_box = false, weights_only = false, all = false, json = false, sarif = false;
};

bool is_required(const CheckFlags& options, const char* what) {
    return std::ranges::find(options.require, what) != options.require.end();
}

Result<KeysByUse> load_keys(const CheckFlags& options) {
    if (options.keys.empty() && !options.trust.names_authority()) {
        return Error{
            ErrorKind::usage, "no key to check with",
            "give the vendor's public key with --pub NAME.pub, or your check key with --key CUSTOMER.check"};
    }
    return load_keys_by_use(options.keys);
}

// Whom to trust for signatures: authorities if there are some, else the public keys that can be of signers.
Result<VerifyOptions> signature_options(const CheckFlags& options, std::vector<std::string> public_keys) {
    auto wanted = verify_options(options.trust);
    wanted.signature = options.signature;
    if (!options.trust.names_authority()) wanted.public_keys = std::move(public_keys);
    const bool asked = !options.signature.empty() || is_required(options, "signature");
    if (asked && wanted.public_keys.empty() && !options.trust.names_authority()) {
        return Error{
            ErrorKind::usage, "no key to verify the signature with",
            "give the signer's public key (P-256, P-384, P-521) with --pub PEM, or the certificate of an "
            "authority with --cert-chain PEM"};
    }
    return wanted;
}

// Calls back for what there is.
template <class Callback>
void for_each_finding(const CheckReport& report, const Callback& callback) {
    if (report.seal) callback(&CheckReport::seal);
    if (report.signature) callback(&CheckReport::signature);
    if (report.fingerprint) callback(&CheckReport::fingerprint);
}

// What was found goes to standard output; why something could not be checked goes to standard error.
void show_text(const CheckFlags& options, CheckReport report, Context& context) {
    auto& terminal = context.terminal;
    const TextStyle style{.color = terminal.color(), .all = options.all, .width = output_columns()};
    if (report.verdict != Verdict::error) {
        if (!terminal.quiet() || report.verdict != Verdict::intact) terminal.print(to_text(report, style));
        return;
    }
    auto why = std::exchange(report.error, {});
    const auto hint = std::exchange(report.hint, {});
    for_each_finding(report, [&]<class Finding>(std::optional<Finding> CheckReport::*which) {
        const auto& finding = report.*which;
        if (report::verdict_of(*finding) == Verdict::error) {
            if (why.empty()) why = finding->detail;
            return;
        }
        CheckReport alone{.target = report.target, .verdict = report::verdict_of(*finding)};
        alone.*which = finding;
        terminal.print(to_text(alone, style));
    });
    terminal.error({report.error_kind, why.empty() ? report.target + ": not checked" : why, hint});
}

// A page about a fingerprint shows pairs of it, and is as secret.
std::uint32_t page_mode(std::span<const CheckReport> reports) {
    const bool secret =
        std::ranges::any_of(reports, [](const CheckReport& report) { return report.fingerprint.has_value(); });
    return secret ? 0600 : 0644;
}

Result<void> show(const CheckFlags& options, std::span<const CheckReport> reports, Context& context) {
    if (!options.html.empty()) {
        MODELSEAL_TRY(
            io::write_text(options.html, to_html(reports), page_mode(reports), io::WriteMode::replace));
    }
    auto& terminal = context.terminal;
    if (options.json) {
        terminal.print(to_json(reports, reports.size() == 1));
    } else if (options.sarif) {
        terminal.print(to_sarif(reports, MODELSEAL_VERSION));
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

Result<CheckOptions> check_options(const CheckFlags& options, const KeysByUse& keys,
                                   const std::vector<std::string>& targets, const Context& context) {
    CheckOptions wanted{.keys = keys.seals};
    MODELSEAL_TRY_ASSIGN(wanted.signature, signature_options(options, keys.signatures));
    MODELSEAL_TRY_ASSIGN(wanted.expect, key_values(options.expect, "--expect"));
    wanted.weights_only = options.weights_only;
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

// A fingerprint that is another vendor's, changed or expired does not match; that is no failure to check.
ExitCode exit_code_of(const CheckReport& report) {
    return report.verdict == Verdict::error ? exit_code(report.error_kind) : exit_code(report.verdict);
}

Result<ExitCode> run(const CheckFlags& options, Context& context) {
    const std::vector<std::string> others = {options.fingerprint, options.signature,
                                             options.endpoint.token_file, options.endpoint.ca};
    const auto trusted = options.trust.files();
    for (const auto* inputs :
         {&options.targets, &options.keys.public_keys, &options.keys.check_keys, &others, &trusted}) {
        MODELSEAL_TRY(refuse_overwriting(options.html, *inputs));
    }
    MODELSEAL_TRY_ASSIGN(const auto targets, targets_of(options));
    MODELSEAL_TRY_ASSIGN(const auto keys, load_keys(options));
    MODELSEAL_TRY_ASSIGN(auto wanted, check_options(options, keys, targets, context));
    std::vector<CheckReport> reports;
    auto code = ExitCode::done;
    for (const auto& target : targets) {
        const auto what = "checking " + target;
        const auto progress = options.fingerprint.empty() ? context.progress(what) : context.steps(what);
        wanted.progress = progress.get();
        reports.push_back(check_model(target, wanted));
        code = worst(code, exit_code_of(reports.back()));
    }
    MODELSEAL_TRY(show(options, reports, context));
    return code;
}

void add_signature_options(CLI::App& command, CheckFlags& options) {
    command
        .add_option("--signature", options.signature,
                    "OpenSSF signature of the files; default: one that lies beside them")
        ->type_name("SIG");
    add_trust_options(command, options.trust);
}

void add_fingerprint_options(CLI::App& command, CheckFlags& options) {
    command
        .add_option("--fingerprint", options.fingerprint,
                    "what a model that can only be queried is checked with")
        ->type_name("FP");
    command.add_flag("--black-box", options.black_box,
                     "run a local file and query it, instead of reading its seal");
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
        add_command(program, "check", "tells whether models are still what was sealed, and what changed");
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
    command.add_flag("--all", options->all, "list intact tensors as well");
    auto* json = command.add_flag("--json", options->json, "print modelseal-check/1 JSON");
    command.add_flag("--sarif", options->sarif, "print SARIF 2.1.0")->excludes(json);
    command.add_option("--html", options->html, "write a report page")->type_name("FILE");
    command.option_defaults()->group("for a signature of the files");
    add_signature_options(command, *options);
    command.option_defaults()->group("for a model that can only be queried");
    add_fingerprint_options(command, *options);
    on_run(command, context, [options](Context& with) { return run(*options, with); });
}

}  // namespace modelseal::cli
