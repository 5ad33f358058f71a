#include <utility>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/remedies.h"
#include "cli/options/trust_options.h"
#include "cli/terminal/width.h"
#include "policy/decide.h"
#include "report/report.h"
#include <modelseal/oms.h>

namespace modelseal::cli {
namespace {

struct VerifyFlags {
    std::string path, signature, folder;
    TrustFlags trust;
    bool all = false, json = false;
};

Result<SignatureFinding> verify(const VerifyFlags& options, const Context& context) {
    KeySet keys;
    MODELSEAL_TRY(keys.add_for_signatures(options.trust.signers));
    if (!options.folder.empty()) MODELSEAL_TRY(keys.add_folder_for_signatures(options.folder));
    const auto progress = context.progress({"verifying", options.path});
    auto check = signature_check(options.trust, keys.for_signatures());
    check.signature = options.signature;
    return verify_model(options.path, check, {.jobs = context.jobs, .progress = progress.get()});
}

Result<ExitCode> run(const VerifyFlags& options, const CLI::App& command, Context& context) {
    MODELSEAL_TRY(refuse_idle_options(command, trust_rules()));
    const auto finding = verify(options, context);
    if (!finding.ok() && finding.error().kind == ErrorKind::usage) return finding.error();

    const CheckPolicy policy{.expected = {.signature = true}};
    const policy::Findings found{.signature = finding};
    const auto decision = policy::decide(found, policy);
    auto report = policy::report_of(options.path, found, policy, decision);
    name_options(report);
    if (options.json) {
        context.terminal.print_data(report::to_json({&report, 1}, true));
        return decision.exit_code;
    }
    if (!finding.ok()) return finding.error();
    if (decision.exit_code != ExitCode::done || !context.terminal.quiet()) {
        context.terminal.print(report::to_text(report, {.color = context.terminal.color(),
                                                        .all = options.all,
                                                        .width = output_columns(),
                                                        .hints = report::Hints::left_out,
                                                        .rest = "use --all or --json"}));
        for (const auto& hint : report::hints_of(report, report::Failures::listed)) context.terminal.hint(hint);
    }
    return decision.exit_code;
}

}  // namespace

void add_verify(CLI::App& program, Context& context) {
    auto options = std::make_shared<VerifyFlags>();
    auto& command = add_command(program, "verify", "Verify the OpenSSF signature of a model",
                                {"modelseal verify model/ --signature model.sig --pub signer.pub",
                                 "modelseal verify model/ --signature model.sig --cert-chain authority.pem"});
    command.add_option("PATH", options->path, "model file or folder")->required();
    command.add_option("--signature", options->signature, "signature file")->required()->type_name("SIG");
    add_signer_option(command, "--pub", options->trust);
    add_trust_folder_option(command, "signers", options->folder);
    add_trust_options(command, "--pub", options->trust);
    for (const char* other : {"--cert-chain", "--trusted-root"})
        command.get_option("--trust")->excludes(command.get_option(other));
    command.add_flag("--all", options->all, "list every file and tensor that is not as signed");
    command.add_flag("--json", options->json, "print JSON (schema modelseal-check/1)");
    command.option_defaults()->group("files that need not be signed");
    add_coverage_options(command, options->trust);
    on_run(command, context, [options, &command](Context& running) { return run(*options, command, running); });
}

}  // namespace modelseal::cli
