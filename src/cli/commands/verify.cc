#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/remedies.h"
#include "cli/options/trust_options.h"
#include "cli/terminal/width.h"
#include "io/file.h"
#include "jobs/check/nearby.h"
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

// What is asked of the signature, which is found next to the model as `check` finds it; nothing if there is none.
Result<std::optional<SignatureCheck>> asked(const VerifyFlags& options) {
    KeySet keys;
    MODELSEAL_TRY(keys.add_for_signatures(options.trust.signers));
    if (!options.folder.empty()) MODELSEAL_TRY(keys.add_folder_for_signatures(options.folder));
    auto check = signature_check(options.trust, keys.for_signatures());
    if (check.public_keys.empty() && options.trust.empty()) {
        return Error{ErrorKind::usage,
                     "no key, certificate or trusted root to verify the signature with",
                     {},
                     Remedy::trust_signer};
    }
    const auto found = options.signature.empty() ? jobs::signature_next_to(options.path)
                                                 : std::optional<std::filesystem::path>(options.signature);
    if (!found) return std::optional<SignatureCheck>();
    check.signature = *found;
    return std::optional(std::move(check));
}

// That of the target, if it is not there itself.
Result<policy::Findings> verify(const VerifyFlags& options, const Context& context) {
    const auto check = asked(options);
    if (!check.ok() && check.error().kind == ErrorKind::usage) return check.error();
    if (!check.ok()) return policy::Findings{.signature = check.error()};
    std::error_code failed;
    const bool there = std::filesystem::exists(options.path, failed);
    if (!*check && there) {
        const MissingCheck missing{.kind = CheckKind::signature,
                                   .detail = jobs::no_signature_next_to(options.path),
                                   .remedy = Remedy::give_signature};
        return policy::Findings{.missing = {missing}};
    }
    if (!there) return policy::Findings{.signature = io::os_error(ENOENT, options.path, "open")};
    const auto progress = context.progress({"verifying", options.path});
    return policy::Findings{
        .signature = verify_model(options.path, **check, {.jobs = context.jobs, .progress = progress.get()})};
}

void show(const VerifyFlags& options, const CheckReport& report, Terminal& terminal) {
    if (report.verdict == Verdict::intact && terminal.quiet()) return;
    terminal.print(report::to_text(report, {.color = terminal.color(),
                                            .all = options.all,
                                            .width = output_columns(),
                                            .hints = report::Hints::left_out,
                                            .rest = "use --all or --json"}));
    for (const auto& hint : report::hints_of(report, report::Failures::listed)) terminal.hint(hint);
}

Result<ExitCode> run(const VerifyFlags& options, const CLI::App& command, Context& context) {
    MODELSEAL_TRY(refuse_idle_options(command, trust_rules()));
    MODELSEAL_TRY_ASSIGN(const auto found, verify(options, context));
    const bool made = found.signature.has_value();
    if (made && !found.signature->ok() && found.signature->error().kind == ErrorKind::usage)
        return found.signature->error();
    const CheckPolicy policy{.expected = {.signature = true}};
    const auto decision = policy::decide(found, policy);
    auto report = policy::report_of(options.path, found, policy, decision);
    name_options(report);
    if (options.json) {
        context.terminal.print_data(report::to_json({&report, 1}, true));
        return decision.exit_code;
    }
    if (made && !found.signature->ok()) return found.signature->error();
    show(options, report, context.terminal);
    return decision.exit_code;
}

}  // namespace

void add_verify(CLI::App& program, Context& context) {
    auto options = std::make_shared<VerifyFlags>();
    auto& command = add_command(program, "verify", "Verify the OpenSSF signature of a model",
                                {"modelseal verify model/ --pub signer.pub",
                                 "modelseal verify model/ --signature model.sig --cert-chain authority.pem"});
    command.add_option("PATH", options->path, "model file or folder")->required();
    command
        .add_option("--signature", options->signature, "signature file (default: the one next to the model)")
        ->type_name("SIG");
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
