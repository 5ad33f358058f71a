#include <fmt/format.h>

#include "cli/check_keys.h"
#include "cli/commands.h"
#include "cli/key_values.h"
#include "cli/outputs.h"
#include "cli/width.h"
#include "io/file.h"
#include "report/report.h"
#include <modelseal/seal.h>

namespace modelseal::cli {
namespace {

struct Options {
    std::vector<std::string> targets, expect, require;
    CheckKeyFiles keys;
    std::string html;
    bool weights_only = false, all = false, json = false, sarif = false;
};

Result<std::vector<CheckKey>> load_keys(const Options& options) {
    if (options.keys.empty()) {
        return Error{
            ErrorKind::usage, "no key to check with",
            "give the vendor's public key with --pub NAME.pub, or your check key with --key CUSTOMER.check"};
    }
    return load_check_keys(options.keys);
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
        for (const auto& report : reports) {
            if (report.verdict == Verdict::error) {
                terminal.error({ErrorKind::unreadable, report.error, report.hint});
            } else if (!terminal.quiet() || report.verdict != Verdict::intact) {
                terminal.print(to_text(
                    report, {.color = terminal.color(), .all = options.all, .width = output_columns()}));
            }
        }
    }
    return {};
}

Result<ExitCode> run(const Options& options, Context& context) {
    for (const auto* inputs : {&options.targets, &options.keys.public_keys, &options.keys.check_keys}) {
        MODELSEAL_TRY(refuse_overwriting(options.html, *inputs));
    }
    MODELSEAL_TRY_ASSIGN(const auto keys, load_keys(options));
    MODELSEAL_TRY_ASSIGN(auto expect, key_values(options.expect, "--expect"));
    std::vector<CheckReport> reports;
    auto code = ExitCode::done;
    for (const auto& target : options.targets) {
        const auto progress = context.progress("checking " + target);
        reports.push_back(check_model(target, {.keys = keys,
                                               .expect = expect,
                                               .weights_only = options.weights_only,
                                               .all = options.all,
                                               .jobs = context.jobs,
                                               .progress = progress.get()}));
        code = worst(code, exit_code(reports.back().verdict));
    }
    MODELSEAL_TRY(show(options, reports, context));
    return code;
}

}  // namespace

void add_check(CLI::App& program, Context& context) {
    auto options = std::make_shared<Options>();
    auto& command =
        add_command(program, "check", "tells whether models are still what was sealed, and what changed");
    command.add_option("TARGET", options->targets, "model file, or folder of shards")->required();
    add_check_key_options(command, options->keys);
    command.add_option("--expect", options->expect, "the stamp must say so; may be given several times")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command.add_option("--require", options->require, "what must be there: seal")
        ->delimiter(',')
        ->type_name("seal")
        ->check(CLI::IsMember({"seal"}));
    command.add_flag("--weights-only", options->weights_only,
                     "let a changed frame pass, as after a conversion");
    command.add_flag("--all", options->all, "list intact tensors as well");
    auto* json = command.add_flag("--json", options->json, "print modelseal-check/1 JSON");
    command.add_flag("--sarif", options->sarif, "print SARIF 2.1.0")->excludes(json);
    command.add_option("--html", options->html, "write a report page")->type_name("FILE");
    on_run(command, context, [options](Context& with) { return run(*options, with); });
}

}  // namespace modelseal::cli
