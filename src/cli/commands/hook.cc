#include <cstdlib>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/commands/check_many.h"
#include "cli/commands/check_results.h"
#include "cli/commands/commands.h"
#include "cli/commands/hooks.h"
#include "jobs/many/crew.h"
#include "jobs/many/targets.h"
#include <modelseal/policy.h>

namespace modelseal::cli {
namespace {

using jobs::Target;

struct HookFlags {
    std::string policy;
    std::vector<std::string> paths;
    bool stream = false, null = false;
};

// A path, or a JSON object with "path" and "name". Anything else is a path as well, which cannot be opened then.
Target request_of(const std::string& line) {
    if (!line.starts_with('{')) return {line, {}};
    const auto request = nlohmann::json::parse(line, nullptr, false);
    const auto text = [&](const char* key) {
        return request.is_object() && request.contains(key) && request[key].is_string()
                   ? request[key].get<std::string>()
                   : std::string();
    };
    auto path = text("path");
    return path.empty() ? Target{line, {}} : Target{std::move(path), text("name")};
}

Result<ExitCode> run_exec(const HookFlags& flags, Context& context) {
    if (flags.stream != flags.paths.empty()) {
        return Error{
            ErrorKind::usage,
            flags.stream ? "paths are given, and --stream reads them from standard input" : "nothing to check",
            "give paths, or --stream"};
    }
    MODELSEAL_TRY_ASSIGN(const auto policy, load_hook_policy(flags.policy));
    MODELSEAL_TRY_ASSIGN(auto list, jobs::TargetList::open("-", flags.null ? '\0' : '\n'));
    std::size_t at = 0;
    const auto next = [&]() -> std::optional<Target> {
        if (!flags.stream)
            return at == flags.paths.size() ? std::nullopt : std::optional(Target{flags.paths[at++], {}});
        const auto line = list.next();
        return line ? std::optional(request_of(line->path)) : std::nullopt;
    };
    const CheckOutputs outputs{.json = true, .lines = true};
    CheckResults results(outputs, policy.keys(), context);
    jobs::check_all({.jobs = context.jobs,
                     .next = next,
                     .check =
                         [&](const Target& target, unsigned threads) {
                             return policy.check(target.path, {.name = target.name, .jobs = threads});
                         },
                     .take =
                         [&](const Target& target, Result<CheckReport> report) {
                             results.add(shown_report(target, std::move(report)));
                             return true;
                         }});
    if (const auto complete = list.complete(); flags.stream && !complete.ok()) results.add(complete.error());
    // A stream without a request is one that nobody uploaded to.
    return results.code();
}

void add_exec(CLI::App& hook, Context& context) {
    const auto flags = std::make_shared<HookFlags>();
    auto& command =
        add_command(hook, "exec", "Check uploads under a policy, for a registry that runs a program",
                    {"modelseal hook exec --policy modelseal-policy.toml upload.onnx",
                     "modelseal hook exec --policy modelseal-policy.toml --stream"});
    command.add_option("PATH", flags->paths, "uploaded model, a file or a folder");
    command
        .add_option("--policy", flags->policy, "policy (default: the environment variable MODELSEAL_POLICY)")
        ->type_name("FILE");
    command.add_flag("--stream", flags->stream,
                     "read requests from standard input, one a line, and answer each when it is checked");
    auto* null = command.add_flag("-0,--null", flags->null, "requests end with NUL bytes");
    null->needs(command.get_option("--stream"));
    on_run(command, context, [flags](Context& running) { return run_exec(*flags, running); });
}

}  // namespace

Result<std::string> hook_policy_file(const std::string& file) {
    if (!file.empty()) return file;
    const char* const named = std::getenv("MODELSEAL_POLICY");
    if (named != nullptr && *named != '\0') return std::string(named);
    return Error{ErrorKind::usage, "no policy", "give one with --policy FILE, or in MODELSEAL_POLICY"};
}

Result<Policy> load_hook_policy(const std::string& file) {
    MODELSEAL_TRY_ASSIGN(const auto named, hook_policy_file(file));
    return Policy::load(named);
}

void add_hook(CLI::App& program, Context& context) {
    auto& hook = add_command(program, "hook", "Let registries check what is uploaded",
                             {"modelseal hook exec --policy modelseal-policy.toml upload.onnx"});
    hook.require_subcommand(1);
    add_exec(hook, context);
    add_hook_git(hook, context);
    add_hook_oci(hook, context);
}

}  // namespace modelseal::cli
