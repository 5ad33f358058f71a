#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands/command.h"
#include "cli/commands/hooks.h"
#include "cli/options/values.h"
#include "hook/audit.h"
#include "hook/git/check_push.h"
#include "hook/git/push.h"
#include "io/file.h"
#include "policy/decide.h"
#include "report/policy.h"
#include "report/report.h"
#include "util/text.h"
#include <modelseal/policy.h>

namespace modelseal::cli {
namespace {

constexpr std::size_t kMostInput = 64u << 20;  // bytes of standard input: some 500,000 refs
// Git shows what a hook prints after "remote: ".
constexpr unsigned kHookColumns = 100;

struct GitHookFlags {
    std::vector<std::string> arguments;
    std::string policy, name, lfs, audit, max_bytes = "1T";
    std::uint64_t max_models = 1000, max_seconds = 0;
    bool each = false;
};

Result<std::string> read_hook_input() {
    std::string text;
    std::vector<char> piece(64u << 10);
    while (true) {
        const auto got = ::read(STDIN_FILENO, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io::os_error(errno, "standard input", "read");
        if (got == 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
        if (text.size() > kMostInput) {
            return Error{ErrorKind::unsupported,
                         fmt::format("standard input: more than {}", util::counted(kMostInput, "byte")),
                         "push fewer refs at once"};
        }
    }
}

std::string short_id(const std::string& id) {
    return id.substr(0, 12);
}

// What a person who pushes reads about the models, and the audit log.
class PushAnswers {
  public:
    PushAnswers(Context& context, std::optional<hook::AuditLog> audit)
        : context_(context), audit_(std::move(audit)) {}

    Result<void> take(const hook::PushedModel& model) {
        auto report = model.report.ok() ? *model.report
                                        : policy::report_of(util::printable(model.path), model.report.error());
        code_ = worst(code_, report.exit_code);
        ++count_;
        MODELSEAL_TRY(record(model, report));
        if (report.exit_code != ExitCode::done) ++refused_;
        show(model, report);
        return {};
    }

    // The last word about the push.
    ExitCode finish(const Result<hook::PushSummary>& done) {
        auto& terminal = context_.terminal;
        if (!done.ok()) {
            terminal.error(done.error());
            code_ = worst(code_, exit_code(done.error().kind));
        } else if (refused_ > 0) {
            terminal.print(fmt::format("{} of {} refused", refused_, util::counted(count_, "model")));
        } else if (count_ > 0 && !terminal.quiet()) {
            terminal.print(fmt::format("{} checked, none refused", util::counted(count_, "model")));
        }
        return code_;
    }

  private:
    // Not a word about what is allowed.
    void show(const hook::PushedModel& model, CheckReport& report) {
        const bool allowed = report.ruling && report.ruling->outcome == Ruling::Outcome::allow;
        if (allowed) return;
        auto& terminal = context_.terminal;
        if (!model.report.ok()) {
            terminal.error(model.report.error());
        } else {
            terminal.print(report::to_text(report, {.color = false, .width = kHookColumns}));
        }
        terminal.print(fmt::format("  in commit {}{}", short_id(model.commit),
                                   model.ref.empty() ? "" : " of " + util::printable(model.ref)));
        terminal.flush();
    }

    Result<void> record(const hook::PushedModel& model, const CheckReport& report) {
        if (!audit_) return {};
        auto entry = hook::audit_entry_of(report);
        entry.hook = "git";
        entry.repository = model.repository;
        entry.reference = model.ref;
        entry.digest = model.commit;
        if (!report.ruling) entry.name = model.path;
        return audit_->write(entry);
    }

    Context& context_;
    std::optional<hook::AuditLog> audit_;
    ExitCode code_ = ExitCode::done;
    std::uint64_t count_ = 0, refused_ = 0;
};

Result<hook::PushOptions> push_options(const GitHookFlags& flags, const Context& context) {
    hook::PushOptions options{
        .name = flags.name, .each = flags.each, .most_models = flags.max_models, .jobs = context.jobs};
    if (!flags.lfs.empty()) options.lfs = flags.lfs;
    if (flags.max_seconds > 0) options.most_seconds = flags.max_seconds;
    MODELSEAL_TRY_ASSIGN(const auto bytes, byte_count(flags.max_bytes, "--max-bytes"));
    if (bytes) options.most_bytes = *bytes;
    return options;
}

Result<ExitCode> run_git(const GitHookFlags& flags, Context& context) {
    std::string input;
    if (hook::reads_input(flags.arguments)) {
        MODELSEAL_TRY_ASSIGN(input, read_hook_input());
    }
    MODELSEAL_TRY_ASSIGN(const auto push, hook::parse_push(flags.arguments, input));
    MODELSEAL_TRY_ASSIGN(const auto policy, load_hook_policy(flags.policy));
    MODELSEAL_TRY_ASSIGN(const auto options, push_options(flags, context));
    std::optional<hook::AuditLog> audit;
    if (!flags.audit.empty()) {
        MODELSEAL_TRY_ASSIGN(audit, hook::AuditLog::open(flags.audit));
    }
    PushAnswers answers(context, std::move(audit));
    const auto done = hook::check_push(push, policy, options,
                                       [&](const hook::PushedModel& model) { return answers.take(model); });
    return answers.finish(done);
}

}  // namespace

void add_hook_git(CLI::App& hook, Context& context) {
    const auto flags = std::make_shared<GitHookFlags>();
    auto& command = add_command(hook, "git", "Check what is pushed, as a hook of a git repository",
                                {"exec modelseal hook git --policy /etc/modelseal/policy.toml -- \"$@\""});
    command.add_option(
        "ARGUMENT", flags->arguments,
        "what git gives the hook: nothing (pre-receive), REF OLD NEW (update), REMOTE URL (pre-push)");
    command
        .add_option("--policy", flags->policy, "policy (default: the environment variable MODELSEAL_POLICY)")
        ->type_name("FILE");
    command
        .add_option(
            "--name", flags->name,
            "name of the repository, which begins the names of its models (default: that of its folder)")
        ->type_name("NAME");
    command.add_flag("--each", flags->each,
                     "check every model file by itself, also in folders with a configuration");
    command
        .add_option("--lfs", flags->lfs,
                    "folder with the objects of Git LFS (default: where Git LFS keeps them in the repository)")
        ->type_name("DIR");
    command.add_option("--audit", flags->audit, "append a line of JSON for each decision to a file")
        ->type_name("FILE");
    command
        .add_option("--max-models", flags->max_models, "refuse a push that changes more models (default: 1000)")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    command
        .add_option("--max-bytes", flags->max_bytes,
                    "refuse a push whose models have more bytes together (default: 1T)")
        ->type_name("SIZE");
    command
        .add_option("--max-seconds", flags->max_seconds,
                    "refuse a push that takes longer to check (default: never)")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    on_run(command, context, [flags](Context& running) { return run_git(*flags, running); });
}

}  // namespace modelseal::cli
