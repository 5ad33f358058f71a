#include "cli/commands.h"
#include "cli/width.h"
#include "report/report.h"
#include "report/signature_words.h"
#include <modelseal/oms.h>

namespace modelseal::cli {
namespace {

struct Options {
    std::string path, signature, trusted_root, identity, issuer;
    std::vector<std::string> public_keys, chain, timestamp_chain, ignore;
    bool no_ignore_git_paths = false, ignore_unsigned_files = false, all = false, json = false;
};

VerifyOptions wanted(const Options& options, unsigned jobs, io::Progress* progress) {
    VerifyOptions out{.signature = options.signature,
                      .public_keys = options.public_keys,
                      .anchors = options.chain,
                      .trusted_root = options.trusted_root,
                      .identity = options.identity,
                      .issuer = options.issuer,
                      .timestamp_anchors = options.timestamp_chain,
                      .ignore_git_paths = !options.no_ignore_git_paths,
                      .ignore_unsigned_files = options.ignore_unsigned_files,
                      .jobs = jobs,
                      .progress = progress};
    out.ignore.assign(options.ignore.begin(), options.ignore.end());
    return out;
}

std::string json_of(const Options& options, const Result<SignatureFinding>& finding) {
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

Result<ExitCode> run(const Options& options, Context& context) {
    const auto progress = context.progress("verifying " + options.path);
    const auto finding = verify_signature(options.path, wanted(options, context.jobs, progress.get()));
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
    auto options = std::make_shared<Options>();
    auto& command = add_command(program, "verify", "tells whether a model is as its OpenSSF signature says");
    command.add_option("PATH", options->path, "model file or folder")->required();
    command.add_option("--signature", options->signature, "the signature")->required()->type_name("SIG");
    auto* key = add_list(command, "--pub", options->public_keys,
                         "a signer's public key; may be given several times", "PEM");
    add_list(command, "--cert-chain", options->chain,
             "certificates of authorities to trust; may be given several times", "PEM");
    command.get_option("--cert-chain")->excludes(key);
    add_list(command, "--tsa-chain", options->timestamp_chain,
             "timestamp authorities to trust: their word lets a signature outlive its certificate", "PEM");
    command
        .add_option("--trusted-root", options->trusted_root,
                    "Sigstore's trusted root, for keyless signatures; nothing is asked over the network")
        ->type_name("JSON");
    command.add_option("--identity", options->identity, "who must have signed, with --trusted-root")
        ->type_name("NAME");
    command.add_option("--issuer", options->issuer, "who must have vouched for them, with --trusted-root")
        ->type_name("URL");
    add_list(command, "--ignore", options->ignore, "leave out a file or folder; may be given several times",
             "PATH");
    command.add_flag("--no-ignore-git-paths", options->no_ignore_git_paths,
                     "do not leave out the files of Git at the top of the model");
    command.add_flag("--ignore-unsigned-files", options->ignore_unsigned_files,
                     "let files pass that the signature does not name");
    command.add_flag("--all", options->all, "list every file and tensor that is not as signed");
    command.add_flag("--json", options->json, "print modelseal-check/1 JSON");
    on_run(command, context, [options](Context& with) { return run(*options, with); });
}

}  // namespace modelseal::cli
