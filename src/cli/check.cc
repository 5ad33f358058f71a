#include <algorithm>
#include <utility>

#include "cli/check_keys.h"
#include "cli/commands.h"
#include "cli/device_option.h"
#include "cli/endpoint_options.h"
#include "cli/key_values.h"
#include "cli/outputs.h"
#include "cli/width.h"
#include "io/file.h"
#include "report/fingerprint_words.h"
#include "report/report.h"
#include <modelseal/seal.h>

namespace modelseal::cli {
namespace {

struct Options {
    std::vector<std::string> targets, expect, require;
    CheckKeyFiles keys;
    std::string fingerprint, responses, rung, device = "auto", html;
    EndpointFlags endpoint;
    bool black_box = false, weights_only = false, all = false, json = false, sarif = false;
};

Result<std::vector<CheckKey>> load_keys(const Options& options) {
    if (options.keys.empty()) {
        return Error{
            ErrorKind::usage, "no key to check with",
            "give the vendor's public key with --pub NAME.pub, or your check key with --key CUSTOMER.check"};
    }
    return load_check_keys(options.keys);
}

// What was found goes to standard output; why something could not be checked goes to standard error.
void show_text(const Options& options, CheckReport report, Context& context) {
    auto& terminal = context.terminal;
    const TextStyle style{.color = terminal.color(), .all = options.all, .width = output_columns()};
    if (report.verdict != Verdict::error) {
        if (!terminal.quiet() || report.verdict != Verdict::intact) terminal.print(to_text(report, style));
        return;
    }
    auto why = std::exchange(report.error, {});
    const auto drop = [&](auto& finding) {
        using Finding = typename std::remove_reference_t<decltype(finding)>::value_type;
        if (!finding || finding->outcome != Finding::Outcome::error) return;
        if (why.empty()) why = finding->detail;
        finding.reset();
    };
    drop(report.seal);
    drop(report.fingerprint);
    const auto hint = std::exchange(report.hint, {});
    for (const bool seal : {true, false}) {
        auto alone = report;
        seal ? alone.fingerprint.reset() : alone.seal.reset();
        if (!alone.seal && !alone.fingerprint) continue;
        alone.verdict = seal ? report::verdict_of(*alone.seal) : report::verdict_of(*alone.fingerprint);
        terminal.print(to_text(alone, style));
    }
    terminal.error({report.error_kind, why.empty() ? report.target + ": not checked" : why, hint});
}

Result<void> show(const Options& options, std::span<const CheckReport> reports, Context& context) {
    if (!options.html.empty()) {
        MODELSEAL_TRY(io::write_text(options.html, to_html(reports), 0644, io::WriteMode::replace));
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
Result<std::vector<std::string>> targets_of(const Options& options) {
    if (options.responses.empty() && options.targets.empty()) {
        return Error{ErrorKind::usage, "nothing to check",
                     "give a model file, a folder, or the URL of a served model"};
    }
    if (!options.responses.empty() && options.targets.size() > 1) {
        return Error{ErrorKind::usage, "--responses are the answers of one model, not of several", {}};
    }
    return options.targets.empty() ? std::vector{options.responses} : options.targets;
}

Result<CheckOptions> check_options(const Options& options, std::span<const CheckKey> keys,
                                   const std::vector<std::string>& targets, const Context& context) {
    CheckOptions wanted{.keys = keys};
    MODELSEAL_TRY_ASSIGN(wanted.expect, key_values(options.expect, "--expect"));
    wanted.weights_only = options.weights_only;
    wanted.all = options.all;
    if (!options.fingerprint.empty()) wanted.fingerprint = options.fingerprint;
    wanted.black_box = options.black_box;
    if (!options.responses.empty()) wanted.responses = options.responses;
    wanted.rung = rung_of(options.rung);
    MODELSEAL_TRY_ASSIGN(wanted.endpoint, endpoint_options(options.endpoint, targets, context.terminal));
    wanted.device = options.device;
    wanted.require_seal = std::ranges::find(options.require, "seal") != options.require.end();
    wanted.require_fingerprint = std::ranges::find(options.require, "fingerprint") != options.require.end();
    wanted.jobs = context.jobs;
    return wanted;
}

// A fingerprint that is another vendor's, changed or expired does not match; that is no failure to check.
ExitCode exit_code_of(const CheckReport& report) {
    return report.verdict == Verdict::error ? exit_code(report.error_kind) : exit_code(report.verdict);
}

Result<ExitCode> run(const Options& options, Context& context) {
    const std::vector<std::string> others = {options.fingerprint, options.endpoint.token_file,
                                             options.endpoint.ca};
    for (const auto* inputs :
         {&options.targets, &options.keys.public_keys, &options.keys.check_keys, &others}) {
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

void add_fingerprint_options(CLI::App& command, Options& options) {
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
    auto options = std::make_shared<Options>();
    auto& command =
        add_command(program, "check", "tells whether models are still what was sealed, and what changed");
    command.add_option("TARGET", options->targets,
                       "model file, folder of shards, URL of a served model, or exec:COMMAND");
    add_check_key_options(command, options->keys);
    add_list(command, "--expect", options->expect, "the stamp must say so; may be given several times",
             "KEY=VALUE");
    add_list(command, "--require", options->require, "what must be there, or both: seal,fingerprint",
             "seal|fingerprint")
        ->delimiter(',')
        ->check(CLI::IsMember({"seal", "fingerprint"}));
    add_fingerprint_options(command, *options);
    command.add_flag("--weights-only", options->weights_only,
                     "let a changed frame pass, as after a conversion");
    command.add_flag("--all", options->all, "list intact tensors as well");
    auto* json = command.add_flag("--json", options->json, "print modelseal-check/1 JSON");
    command.add_flag("--sarif", options->sarif, "print SARIF 2.1.0")->excludes(json);
    command.add_option("--html", options->html, "write a report page")->type_name("FILE");
    on_run(command, context, [options](Context& with) { return run(*options, with); });
}

}  // namespace modelseal::cli
