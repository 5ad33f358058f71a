#include "cli/commands.h"
#include "cli/trust_options.h"
#include "cli/width.h"
#include "report/report.h"
#include "report/signature_words.h"
#include <modelseal/oms.h>

namespace modelseal::cli {
namespace {

struct VerifyFlags {
    std::string path, signature;
    std::vector<std::string> public_keys;
    TrustFlags trust;
    bool all = false, json = false;
};

std::string json_of(const VerifyFlags& options, const Result<SignatureFinding>& finding) {
    CheckReport report{.target = options.path};
    if (finding.ok()) {
        const bool valid = finding->outcome == SignatureFinding::Outcome::valid;
        report.verdict = valid ? Verdict::intact : Verdict::tampered;
        report.signature = *finding;
    } else {
        report.error = finding.error().message;
        report.hint = finding.error().hint;
        report.error_kind = finding.error().kind;
        report.signature = SignatureFinding{.detail = finding.error().message, .hint = finding.error().hint};
    }
    return to_json({&report, 1}, true);
}

Result<ExitCode> run(const VerifyFlags& options, Context& context) {
    const auto progress = context.progress("verifying " + options.path);
    auto wanted = verify_options(options.trust);
    wanted.signature = options.signature;
    wanted.public_keys = options.public_keys;
    wanted.jobs = context.jobs;
    wanted.progress = progress.get();
    const auto finding = verify_signature(options.path, wanted);
    const bool usage = !finding.ok() && finding.error().kind == ErrorKind::usage;
    if (options.json && !usage) {
        context.terminal.print(json_of(options, finding));
        if (!finding.ok()) return exit_code(finding.error().kind);
    }
    if (!finding.ok()) return finding.error();
    const bool valid = finding->outcome == SignatureFinding::Outcome::valid;
    if (!options.json && !(valid && context.terminal.quiet())) {
        const TextStyle style{.color = context.terminal.color(), .all = options.all, .width = output_columns()};
        context.terminal.print(report::signature_text(options.path, *finding, style));
    }
    return valid ? ExitCode::done : ExitCode::mismatch;
}

}  // namespace

void add_verify(CLI::App& program, Context& context) {
    auto options = std::make_shared<VerifyFlags>();
    auto& command = add_command(program, "verify", "tells whether a model is as its OpenSSF signature says");
    command.add_option("PATH", options->path, "model file or folder")->required();
    command.add_option("--signature", options->signature, "the signature")->required()->type_name("SIG");
    auto* key = add_list(command, "--pub", options->public_keys,
                         "a signer's public key; may be given several times", "PEM");
    add_trust_options(command, options->trust);
    command.get_option("--cert-chain")->excludes(key);
    command.add_flag("--all", options->all, "list every file and tensor that is not as signed");
    command.add_flag("--json", options->json, "print modelseal-check/1 JSON");
    on_run(command, context, [options](Context& with) { return run(*options, with); });
}

}  // namespace modelseal::cli
