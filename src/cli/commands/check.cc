#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/commands/check_many.h"
#include "cli/commands/check_question.h"
#include "cli/commands/check_results.h"
#include "cli/commands/commands.h"
#include "cli/options/check_keys.h"
#include "cli/options/endpoint_options.h"
#include "cli/options/links_option.h"
#include "cli/options/outputs.h"
#include "cli/options/remedies.h"
#include "cli/options/trust_options.h"
#include "cli/options/values.h"
#include "io/file.h"
#include "io/file_kind.h"
#include "oracle/endpoint.h"
#include "util/text.h"
#include <modelseal/check.h>
#include <modelseal/policy.h>

namespace modelseal::cli {
namespace {

struct CheckFlags {
    std::vector<std::string> targets, expect, require, tensors;
    ManyFlags many;
    CheckKeyFiles keys;
    TrustFlags trust;
    std::string fingerprint, signature, responses, rung, device = "auto", scheme = "modelseal";
    std::string policy, name;
    EndpointFlags endpoint;
    Links links = Links::refused;
    CheckOutputs outputs;
    bool black_box = false, weights_only = false;
};

bool is_required(const CheckFlags& flags, const char* what) {
    return std::ranges::find(flags.require, what) != flags.require.end();
}

// What each option needs to have an effect. trust_rules() has the rules of the other options.
std::vector<OptionRule> check_rules() {
    static const std::vector<const char*> keys = {"--pub", "--key", "--trust"};
    static const std::vector<const char*> trust = {"--signer", "--cert-chain", "--trusted-root"};
    static const std::vector<const char*> fingerprint = {"--fingerprint"};
    static const std::vector<const char*> asking = {"--fingerprint", "--policy"};
    std::vector<OptionRule> rules = {
        {"--expect", keys, &TargetUses::read},
        {"--weights-only", keys, &TargetUses::read},
        {"--tensor",
         {"--pub", "--key", "--trust", "--signer", "--cert-chain", "--trusted-root"},
         &TargetUses::on_disk},
        {"--scheme", keys, &TargetUses::read},
        {"--allow-symlinks", {}, &TargetUses::on_disk},
        {"--signature", trust, &TargetUses::on_disk},
        {"--ignore", trust, &TargetUses::on_disk},
        {"--no-ignore-git-paths", trust, &TargetUses::on_disk},
        {"--ignore-unsigned-files", trust, &TargetUses::on_disk},
        {"--fingerprint", keys},
        {"--black-box", fingerprint},
        {"--responses", fingerprint},
        {"--rung", fingerprint},
        {"--device", {}, &TargetUses::on_disk},
        {"--batch", asking, &TargetUses::asked},
        {"--max-seconds", asking, &TargetUses::asked},
        {"--html-pairs", asking},
        {"--html-pairs", {"--html"}},
        {"--name", {"--policy"}},
        {"--null", {"--from"}},
        {"--shard", {"--from", "--each"}},
        {"--results", {"--from", "--each"}},
        {"--resume", {"--results"}},
        {"--cache", {"--from", "--each"}},
    };
    std::ranges::move(endpoint_rules(asking), std::back_inserter(rules));
    return rules;
}

TargetUses uses_of(const CheckFlags& flags, const std::vector<std::string>& targets) {
    // A list may have targets of any kind.
    if (!flags.many.from.empty()) return {true, !flags.black_box, true, true, true, true};
    TargetUses uses;
    if (!flags.responses.empty()) return uses;  // the targets are names
    for (const auto& target : targets) {
        const bool served = oracle::is_endpoint(target);
        uses.served |= served;
        uses.http |= oracle::is_http_url(target);
        uses.on_disk |= !served;
        uses.read |= !served && !flags.black_box;
        uses.run |= !served && !(flags.fingerprint.empty() && flags.policy.empty());
    }
    uses.asked = uses.served || uses.run;
    return uses;
}

// "check net.onnx vendor.pub", as other tools take a key.
Result<void> refuse_key_as_target(const std::vector<std::string>& targets) {
    for (const auto& target : targets) {
        const auto source = io::FileSource::open(target, target);
        const auto kind = source.ok() ? io::kind_of(**source) : std::nullopt;
        if (!kind || (kind->irreplaceable != "public key" && kind->irreplaceable != "check key")) continue;
        const bool open = kind->irreplaceable == "public key";
        return Error{ErrorKind::usage,
                     fmt::format("{}: {}, not a model to check", util::printable(target), kind->is),
                     fmt::format("give it with {} {}", open ? "--pub" : "--key", util::printable(target))};
    }
    return {};
}

Result<KeySet> load_keys(const CheckFlags& flags) {
    if (flags.keys.empty() && flags.trust.empty()) {
        MODELSEAL_TRY(refuse_key_as_target(flags.targets));
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

// Answers made elsewhere need no target. A target that is given names them in the report.
Result<std::vector<std::string>> targets_of(const CheckFlags& flags) {
    if (flags.responses.empty() && flags.targets.empty() && flags.many.from.empty()) {
        return Error{ErrorKind::usage, "nothing to check",
                     "give a model file, a folder, or the URL of a served model"};
    }
    if (!flags.many.from.empty()) {
        if (flags.targets.empty()) return flags.targets;
        return Error{ErrorKind::usage, "targets are given, and --from names a list of them", {}};
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

Result<EndpointOptions> served_options(const CheckFlags& flags, const std::vector<std::string>& targets,
                                       Context& context) {
    MODELSEAL_TRY_ASSIGN(auto options, endpoint_options(flags.endpoint, targets, context.terminal));
    if (!flags.many.from.empty()) {
        options.token.clear();
        options.headers.clear();
    }
    return options;
}

Result<CheckOptions> check_options(const CheckFlags& flags, const KeySet& keys,
                                   const std::vector<std::string>& targets, Context& context) {
    CheckOptions options{.tensors = flags.tensors,
                         .jobs = context.jobs,
                         .device = flags.device,
                         .limits = {.links = flags.links}};
    const auto& seal_keys = keys.for_seals();
    if (!seal_keys.empty() && !flags.black_box)
        options.seal = SealCheck{.keys = seal_keys, .all = flags.outputs.all};
    MODELSEAL_TRY_ASSIGN(options.signature, signature_options(flags, keys));
    MODELSEAL_TRY_ASSIGN(options.policy, check_policy(flags));
    if (flags.fingerprint.empty()) return options;
    FingerprintCheck check{.file = flags.fingerprint, .keys = seal_keys, .device = flags.device};
    if (!flags.responses.empty()) check.responses = flags.responses;
    check.rung = rung_of(flags.rung);
    MODELSEAL_TRY_ASSIGN(check.endpoint, served_options(flags, targets, context));
    options.fingerprint = std::move(check);
    return options;
}

Result<void> guard_outputs(const CheckFlags& flags) {
    const std::vector<std::string> others = {flags.fingerprint,
                                             flags.signature,
                                             flags.endpoint.token_file,
                                             flags.endpoint.header_file,
                                             flags.endpoint.client_cert,
                                             flags.endpoint.ca,
                                             flags.endpoint.client_key,
                                             flags.policy,
                                             flags.many.from,
                                             flags.many.cache};
    const auto trusted = flags.trust.files();
    for (const auto* inputs :
         {&flags.targets, &flags.keys.public_keys, &flags.keys.check_keys, &others, &trusted}) {
        MODELSEAL_TRY(refuse_overwriting(flags.outputs.html, *inputs));
        MODELSEAL_TRY(refuse_overwriting(flags.outputs.summary, *inputs));
    }
    MODELSEAL_TRY(refuse_same_output(flags.outputs.summary, {flags.outputs.html, flags.many.results}));
    MODELSEAL_TRY(refuse_same_output(flags.outputs.html, {flags.many.results}));
    // A folder of models is no model.
    const auto models = flags.many.each ? std::vector<std::string>() : flags.targets;
    MODELSEAL_TRY(refuse_other_content(flags.outputs.summary, OutputKind::notes, models));
    return refuse_other_content(flags.outputs.html, OutputKind::page, models);
}

using jobs::Target;

// One after the other, with a line of progress for each.
void check_in_turn(const CheckFlags& flags, const std::vector<std::string>& targets, const CheckOne& check,
                   CheckResults& results, const Context& context) {
    const auto counted = flags.fingerprint.empty() ? Counted::bytes : Counted::steps;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const Target target{targets[i], flags.name};
        std::optional<Result<CheckReport>> report;
        {
            const auto progress = context.progress({"checking", targets[i], i + 1, targets.size()}, counted);
            report = check(target, {.threads = context.jobs, .progress = progress.get()});
        }
        results.add(shown_report(target, std::move(*report)));
        if (flags.many.fail_fast && results.code() != ExitCode::done) return;
    }
}

Result<ExitCode> check_targets(const CheckFlags& flags, const std::vector<std::string>& targets,
                               const CheckOne& check, std::span<const CheckKey> keys, const std::string& policy,
                               const CLI::App& command, Context& context) {
    CheckResults results(flags.outputs, keys, context);
    if (flags.many.any()) {
        // Only what is kept in a file is compared with another run.
        const bool kept = !flags.many.results.empty() || !flags.many.cache.empty();
        MODELSEAL_TRY_ASSIGN(const auto question,
                             kept ? question_of(command, keys, policy) : Result<std::string>(std::string()));
        const auto checked =
            check_many(flags.many, targets, !flags.policy.empty(), check, question, results, context);
        if (!checked.ok() && results.empty()) return checked.error();
        if (!checked.ok()) results.add(checked.error());
    } else {
        check_in_turn(flags, targets, check, results, context);
    }
    return results.finish();
}

// The policy says which keys and evidence are expected, and of whom.
Result<ExitCode> run_under_policy(const CheckFlags& flags, const std::vector<std::string>& targets,
                                  const CLI::App& command, Context& context) {
    if (!flags.name.empty() && (targets.size() > 1 || flags.many.any()))
        return Error{ErrorKind::usage, "--name is the name of one target, and several are given", {}};
    MODELSEAL_TRY_ASSIGN(const auto policy, Policy::load(flags.policy));
    PolicyCheckOptions options{.all = flags.outputs.all,
                               .device = flags.device,
                               .jobs = context.jobs,
                               .limits = {.links = flags.links}};
    MODELSEAL_TRY_ASSIGN(options.endpoint, served_options(flags, targets, context));
    const auto check = [&](const Target& target, const CheckRun& run) {
        auto own = options;
        own.name = target.name;
        own.jobs = run.threads;
        own.progress = run.progress;
        return policy.check(target.path, own);
    };
    return check_targets(flags, targets, check, policy.keys(), policy.digest(), command, context);
}

Result<ExitCode> run(const CheckFlags& flags, const CLI::App& command, Context& context) {
    MODELSEAL_TRY(guard_outputs(flags));
    MODELSEAL_TRY_ASSIGN(const auto targets, targets_of(flags));
    MODELSEAL_TRY(refuse_idle_options(command, trust_rules()));
    MODELSEAL_TRY(refuse_idle_options(command, check_rules(), uses_of(flags, targets)));
    if (!flags.policy.empty()) return run_under_policy(flags, targets, command, context);
    MODELSEAL_TRY_ASSIGN(const auto keys, load_keys(flags));
    MODELSEAL_TRY_ASSIGN(auto options, check_options(flags, keys, targets, context));
    const auto check = [&](const Target& target, const CheckRun& run) {
        auto own = options;
        own.jobs = run.threads;
        own.progress = run.progress;
        return jobs::check_model(target.path, own, run.read);
    };
    return check_targets(flags, targets, check, keys.for_seals(), {}, command, context);
}

// A program that reads a document must not find nothing: what ended the run before any check is the error of each target.
void print_failure(const CheckFlags& flags, const Error& error, Context& context) {
    if (!flags.outputs.json && !flags.outputs.sarif && !flags.outputs.junit) return;
    auto targets = flags.targets;
    if (targets.empty()) targets.push_back(!flags.many.from.empty() ? flags.many.from : flags.responses);
    const CheckOutputs outputs{.json = flags.outputs.json,
                               .sarif = flags.outputs.sarif,
                               .junit = flags.outputs.junit,
                               .lines = flags.outputs.lines};
    CheckResults results(outputs, {}, context);
    for (const auto& target : targets) results.add(shown_report({target, {}}, error));
    static_cast<void>(results.finish());
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
    add_device_option(command, flags.device,
                      "device that hashes weights, and runs the model for a fingerprint");
    add_endpoint_options(command, flags.endpoint);
}

void add_expectations(CLI::App& command, CheckFlags& flags) {
    add_list(command, "--expect", flags.expect, "require this entry in the stamp; repeatable", "KEY=VALUE");
    add_list(command, "--require", flags.require, "require these checks: seal, fingerprint, signature",
             "CHECK,...")
        ->delimiter(',')
        ->check(CLI::IsMember({"seal", "fingerprint", "signature"}));
    command.add_flag("--weights-only", flags.weights_only, "accept a changed frame, as after a conversion");
    auto* tensor = add_list(command, "--tensor", flags.tensors,
                            "look at no other tensors than these; never exits 0; repeatable", "PATTERN");
    tensor->excludes(command.get_option("--weights-only"));
}

// A policy says all that these say.
void add_policy_options(CLI::App& command, CheckFlags& flags) {
    auto* policy =
        command.add_option("--policy", flags.policy, "check under this policy, which names the keys")
            ->type_name("FILE");
    for (const char* said :
         {"--pub", "--key", "--trust", "--signer", "--cert-chain", "--trusted-root", "--fingerprint",
          "--signature", "--expect", "--require", "--weights-only", "--tensor", "--scheme", "--black-box",
          "--responses", "--rung", "--ignore", "--no-ignore-git-paths", "--ignore-unsigned-files"})
        policy->excludes(command.get_option(said));
    command.add_option("--name", flags.name, "name by which rules are looked up (default: the target)")
        ->type_name("NAME");
}

void add_outputs(CLI::App& command, CheckFlags& flags) {
    auto& outputs = flags.outputs;
    command.add_flag("--all", outputs.all, "list intact tensors as well");
    auto* json = command.add_flag("--json", outputs.json,
                                  "print JSON (schema modelseal-check/1); of many targets, a line each");
    command.add_flag("--sarif", outputs.sarif, "print SARIF 2.1.0")->excludes(json);
    command.add_flag("--junit", outputs.junit, "print JUnit XML")->excludes(json)->excludes("--sarif");
    command.add_option("--html", outputs.html, "write a report page to this file")->type_name("FILE");
    command
        .add_option("--summary", outputs.summary,
                    "append a summary in Markdown to this file, as for GITHUB_STEP_SUMMARY")
        ->type_name("FILE");
    command.add_flag("--html-pairs", outputs.html_pairs,
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
    add_trust_folder_option(command, "vendors", flags->keys.folder);
    add_signer_option(command, "--signer", flags->trust);
    command.add_option("--fingerprint", flags->fingerprint, "fingerprint to check a query-only model against")
        ->type_name("FP");
    add_expectations(command, *flags);
    add_links_option(command, flags->links);
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
    command.option_defaults()->group("many targets");
    add_many_options(command, flags->many);
    // A list may name any server: none gets a token.
    command.get_option("--from")->excludes(command.get_option("--token-file"));
    for (const char* needs_all : {"--fingerprint", "--scheme"})
        command.get_option("--tensor")->excludes(command.get_option(needs_all));
    for (const char* many : {"--from", "--each"}) {
        for (const char* of_one : {"--responses", "--signature"})
            command.get_option(many)->excludes(command.get_option(of_one));
    }
    command.option_defaults()->group("policy");
    add_policy_options(command, *flags);
    // What a cache keeps has no list of intact tensors, and a policy reads more than the files of the model.
    for (const char* other : {"--all", "--policy", "--tensor"})
        command.get_option("--cache")->excludes(command.get_option(other));
    on_run(command, context, [flags, &command](Context& running) {
        flags->outputs.lines = flags->many.any();
        auto code = run(*flags, command, running);
        if (!code.ok()) print_failure(*flags, code.error(), running);
        return code;
    });
}

}  // namespace modelseal::cli
