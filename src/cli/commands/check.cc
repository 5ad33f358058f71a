#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/outputs.h"
#include "cli/options/remedies.h"
#include "cli/options/trust_options.h"
#include "cli/options/values.h"
#include "cli/terminal/width.h"
#include "io/file.h"
#include "oracle/endpoint.h"
#include "oracle/http/url.h"
#include "policy/decide.h"
#include "report/report.h"
#include "report/words.h"
#include "util/text.h"
#include <modelseal/check.h>

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

bool is_required(const CheckFlags& flags, const char* what) {
    return std::ranges::find(flags.require, what) != flags.require.end();
}

// What each option needs to have an effect. trust_rules() has the rules of the other options.
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
        {"--html-pairs", fingerprint},
        {"--html-pairs", {"--html"}},
    };
    return rules;
}

TargetUses uses_of(const CheckFlags& flags, const std::vector<std::string>& targets) {
    TargetUses uses;
    if (!flags.responses.empty()) return uses;  // the targets are names
    for (const auto& target : targets) {
        const bool served = oracle::is_endpoint(target);
        uses.served |= served;
        uses.http |= oracle::is_http_url(target);
        uses.on_disk |= !served;
        uses.read |= !served && !flags.black_box;
        uses.run |= !served && !flags.fingerprint.empty();
    }
    uses.asked = uses.served || uses.run;
    return uses;
}

Result<KeySet> load_keys(const CheckFlags& flags) {
    if (flags.keys.empty() && flags.trust.empty()) {
        return Error{
            ErrorKind::usage, "no key to check with",
            "give the vendor's public key with --pub NAME.pub, or your check key with --key CUSTOMER.check"};
    }
    KeySet keys;
    MODELSEAL_TRY(keys.add_for_seals(flags.keys));
    MODELSEAL_TRY(keys.add_for_signatures(flags.trust.signers));
    return keys;
}

// Nothing if no signature is expected.
Result<std::optional<SignatureCheck>> signature_options(const CheckFlags& flags, const KeySet& keys) {
    if (!flags.trust.empty()) {
        auto check = signature_check(flags.trust, keys.for_signatures());
        check.signature = flags.signature;
        return std::optional(std::move(check));
    }
    if (!is_required(flags, "signature")) return std::optional<SignatureCheck>{};
    return Error{
        ErrorKind::usage, "no key to verify the signature with",
        "give the signer's public key (P-256, P-384, P-521) with --signer PEM, or the certificate of an "
        "authority with --cert-chain PEM"};
}

// What was found goes to standard output; why something could not be checked, and what would help, to standard error.
void show_text(const CheckFlags& flags, const CheckReport& report, Terminal& terminal) {
    const bool failed = report.verdict == Verdict::error;
    const auto failures = failed ? report::Failures::left_out : report::Failures::listed;
    if (terminal.quiet() && report.verdict == Verdict::intact) return;
    const auto text = report::to_text(report, {.color = terminal.color(),
                                               .all = flags.all,
                                               .width = output_columns(),
                                               .failures = failures,
                                               .hints = report::Hints::left_out,
                                               .rest = "use --all or --json"});
    if (!text.empty()) {
        terminal.print(text);
        for (const auto& hint : report::hints_of(report, failures)) terminal.hint(hint);
    }
    if (failed) {
        for (const auto& failure : report::failures_of(report)) terminal.error(failure);
    }
    terminal.flush();
}

// Text appears as reports come; a document (JSON, SARIF, HTML) is written when they are complete.
class Results {
  public:
    Results(const CheckFlags& flags, std::span<const CheckKey> keys, Context& context)
        : flags_(flags), keys_(keys), context_(context) {}
    bool is_text() const { return !flags_.json && !flags_.sarif; }

    void add(CheckReport report) {
        code_ = worst(code_, report.exit_code);
        ++verdicts_[report.verdict];
        ++count_;
        if (is_text()) show_text(flags_, report, context_.terminal);
        if (!is_text() || !flags_.html.empty()) reports_.push_back(std::move(report));
    }

    // Prints documents and the closing line. If the page cannot be written, the verdict still decides the code, or the error
    // if it is worse.
    ExitCode finish() {
        auto& terminal = context_.terminal;
        if (flags_.json) terminal.print_data(report::to_json(reports_, reports_.size() == 1));
        if (flags_.sarif) terminal.print_data(report::to_sarif(reports_, MODELSEAL_VERSION));
        if (is_text() && count_ > 1 && !terminal.quiet()) terminal.print(closing_line());
        if (flags_.html.empty()) return code_;
        // Pairs on a page are as secret as the fingerprint.
        const auto written = io::write_text(flags_.html, report::to_html(reports_, page_info()),
                                            flags_.html_pairs ? 0600 : 0644, io::WriteMode::replace);
        if (written.ok()) return code_;
        terminal.error(written.error());
        return worst(code_, exit_code(written.error().kind));
    }

  private:
    // "1,000 checked: 994 intact, 6 tampered"
    std::string closing_line() const {
        std::vector<std::string> parts;
        for (const auto& [verdict, count] : verdicts_) {
            const auto word = verdict == Verdict::error ? "could not be checked" : report::word(verdict);
            parts.push_back(fmt::format("{} {}", report::grouped(count), word));
        }
        return fmt::format("{} checked: {}", report::grouped(count_), fmt::join(parts, ", "));
    }

    report::PageInfo page_info() const {
        report::PageInfo info{.program = "modelseal " MODELSEAL_VERSION,
                              .date = begun_,
                              .duration = std::chrono::steady_clock::now() - begin_};
        for (const auto& key : keys_) info.keys.push_back(to_hex(key.vendor.id()));
        if (flags_.html_pairs) info.pairs = report::PageInfo::Pairs::shown;
        return info;
    }

    const CheckFlags& flags_;
    std::span<const CheckKey> keys_;
    Context& context_;
    const std::chrono::sys_seconds begun_ =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    ExitCode code_ = ExitCode::done;
    std::map<Verdict, std::uint64_t> verdicts_;
    std::uint64_t count_ = 0;
    std::vector<CheckReport> reports_;  // kept only if a document is made of them
};

// Answers made elsewhere need no target. A target that is given names them in the report.
Result<std::vector<std::string>> targets_of(const CheckFlags& flags) {
    if (flags.responses.empty() && flags.targets.empty()) {
        return Error{ErrorKind::usage, "nothing to check",
                     "give a model file, a folder, or the URL of a served model"};
    }
    if (!flags.responses.empty() && flags.targets.size() > 1) {
        return Error{
            ErrorKind::usage, "--responses has the answers of one model, and several targets are given", {}};
    }
    return flags.targets.empty() ? std::vector{flags.responses} : flags.targets;
}

Result<CheckPolicy> check_policy(const CheckFlags& flags) {
    CheckPolicy policy{.expected = {.seal = is_required(flags, "seal"),
                                    .fingerprint = is_required(flags, "fingerprint"),
                                    .signature = is_required(flags, "signature")},
                       .weights_only = flags.weights_only};
    MODELSEAL_TRY_ASSIGN(policy.stamp, key_values(flags.expect, "--expect"));
    if (flags.scheme == "deepisign") policy.scheme = Scheme::deepisign;
    return policy;
}

Result<CheckOptions> check_options(const CheckFlags& flags, const KeySet& keys,
                                   const std::vector<std::string>& targets, const Context& context) {
    CheckOptions options{.jobs = context.jobs};
    const auto& seal_keys = keys.for_seals();
    if (!seal_keys.empty() && !flags.black_box) options.seal = SealCheck{.keys = seal_keys, .all = flags.all};
    MODELSEAL_TRY_ASSIGN(options.signature, signature_options(flags, keys));
    MODELSEAL_TRY_ASSIGN(options.policy, check_policy(flags));
    if (flags.fingerprint.empty()) return options;
    FingerprintCheck check{.file = flags.fingerprint, .keys = seal_keys, .device = flags.device};
    if (!flags.responses.empty()) check.responses = flags.responses;
    check.rung = rung_of(flags.rung);
    MODELSEAL_TRY_ASSIGN(check.endpoint, endpoint_options(flags.endpoint, targets));
    options.fingerprint = std::move(check);
    return options;
}

Result<void> guard_page(const CheckFlags& flags) {
    const std::vector<std::string> others = {flags.fingerprint, flags.signature, flags.endpoint.token_file,
                                             flags.endpoint.ca};
    const auto trusted = flags.trust.files();
    for (const auto* inputs :
         {&flags.targets, &flags.keys.public_keys, &flags.keys.check_keys, &others, &trusted}) {
        MODELSEAL_TRY(refuse_overwriting(flags.html, *inputs));
    }
    return refuse_other_content(flags.html, OutputKind::page, flags.targets);
}

Result<ExitCode> run(const CheckFlags& flags, const CLI::App& command, Context& context) {
    MODELSEAL_TRY(guard_page(flags));
    MODELSEAL_TRY_ASSIGN(const auto targets, targets_of(flags));
    MODELSEAL_TRY(refuse_idle_options(command, trust_rules()));
    MODELSEAL_TRY(refuse_idle_options(command, check_rules(), uses_of(flags, targets)));
    MODELSEAL_TRY_ASSIGN(const auto keys, load_keys(flags));
    MODELSEAL_TRY_ASSIGN(auto options, check_options(flags, keys, targets, context));
    Results results(flags, keys.for_seals(), context);
    const auto counted = flags.fingerprint.empty() ? Counted::bytes : Counted::steps;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        std::optional<Result<CheckReport>> report;
        {
            const auto progress = context.progress({"checking", targets[i], i + 1, targets.size()}, counted);
            options.progress = progress.get();
            report = check_model(targets[i], options);
        }
        // An error about one target (a signature of an endpoint, say) must not hide the reports of the others.
        auto shown = report->ok() ? std::move(*report).value() : policy::report_of(targets[i], report->error());
        name_options(shown);
        results.add(std::move(shown));
    }
    return results.finish();
}

// --fingerprint itself is declared earlier, for the first group of the help.
void add_query_options(CLI::App& command, CheckFlags& flags) {
    command.add_flag("--black-box", flags.black_box, "query a local file instead of reading its seal");
    command.add_option("--responses", flags.responses, "check this answered challenge instead of a model")
        ->type_name("DIR");
    command
        .add_option("--rung", flags.rung,
                    "pairs that decide (default: exact on the runtime of the fingerprint, else fp32)")
        ->type_name("exact|fp32|mixed")
        ->check(CLI::IsMember({"exact", "fp32", "mixed"}));
    add_device_option(command, flags.device);
    add_endpoint_options(command, flags.endpoint);
}

void add_expectations(CLI::App& command, CheckFlags& flags) {
    add_list(command, "--expect", flags.expect, "require this entry in the stamp; repeatable", "KEY=VALUE");
    add_list(command, "--require", flags.require, "require these checks: seal, fingerprint, signature",
             "CHECK,...")
        ->delimiter(',')
        ->check(CLI::IsMember({"seal", "fingerprint", "signature"}));
    command.add_flag("--weights-only", flags.weights_only, "accept a changed frame, as after a conversion");
}

void add_outputs(CLI::App& command, CheckFlags& flags) {
    command.add_flag("--all", flags.all, "list intact tensors as well");
    auto* json = command.add_flag("--json", flags.json, "print JSON (schema modelseal-check/1)");
    command.add_flag("--sarif", flags.sarif, "print SARIF 2.1.0")->excludes(json);
    command.add_option("--html", flags.html, "write a report page to this file")->type_name("FILE");
    command.add_flag("--html-pairs", flags.html_pairs,
                     "show pairs or triggers of the fingerprint on that page, which is then secret");
}

}  // namespace

void add_check(CLI::App& program, Context& context) {
    auto flags = std::make_shared<CheckFlags>();
    auto& command =
        add_command(program, "check", "Check that models are as their vendor sealed them",
                    {"modelseal check net.onnx --pub vendor.pub",
                     "modelseal check https://host/v2/models/net --fingerprint net.fp --pub v.pub"});
    command.add_option("TARGET", flags->targets,
                       "model file, folder of shards, URL of a served model, or exec:COMMAND");
    add_check_key_options(command, flags->keys);
    add_signer_option(command, "--signer", flags->trust);
    command.add_option("--fingerprint", flags->fingerprint, "fingerprint to check a query-only model against")
        ->type_name("FP");
    add_expectations(command, *flags);
    add_outputs(command, *flags);
    command.option_defaults()->group("signature of the files");
    command
        .add_option("--signature", flags->signature,
                    "OpenSSF signature of the files (default: the one next to the model)")
        ->type_name("SIG");
    add_trust_options(command, "--signer", flags->trust);
    add_coverage_options(command, flags->trust);
    command.option_defaults()->group("query-only models");
    add_query_options(command, *flags);
    command.option_defaults()->group("other seals");
    command
        .add_option("--scheme", flags->scheme, "also accept marks of this scheme (default: modelseal alone)")
        ->type_name("modelseal|deepisign")
        ->check(CLI::IsMember({"modelseal", "deepisign"}));
    on_run(command, context, [flags, &command](Context& running) { return run(*flags, command, running); });
}

}  // namespace modelseal::cli
