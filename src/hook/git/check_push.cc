#include "hook/git/check_push.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "hook/git/checkout.h"
#include "hook/git/commands.h"
#include "hook/git/contents.h"
#include "hook/git/models.h"
#include "hook/git/objects.h"
#include "hook/git/program.h"
#include "hook/git/shown.h"
#include "hook/git/workplace.h"
#include "io/file.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostParents = 64;    // of a commit that are compared; others make more of it a change
constexpr std::size_t kMostFailures = 100;  // files that cannot be read, before the check gives up

struct Repository {
    fs::path folder;  // the one that all its work trees share, absolute
    std::string name;
    fs::path lfs;
};

// Where Git LFS keeps objects: lfs.storage, relative to the repository's folder, or "lfs" in it.
Result<fs::path> lfs_folder(const fs::path& repository, Deadline deadline) {
    MODELSEAL_TRY_ASSIGN(const auto program, GitProgram::start(show_path_setting("lfs.storage"), {}, deadline));
    std::string storage;
    MODELSEAL_TRY_ASSIGN(const bool found, program->line(storage));
    return repository / (found && !storage.empty() ? fs::path(storage) : fs::path("lfs")) / "objects";
}

std::string name_of_repository(const fs::path& folder) {
    auto name =
        folder.filename() == ".git" ? folder.parent_path().filename().string() : folder.filename().string();
    if (name.ends_with(".git")) name.resize(name.size() - 4);
    return name;
}

Result<Repository> find_repository(const PushOptions& options, Deadline deadline) {
    Repository repository;
    MODELSEAL_TRY_ASSIGN(const auto folder, git_answer(show_repository(), deadline));
    std::error_code failed;
    repository.folder = fs::canonical(folder, failed);
    if (failed) return io::os_error(failed.value(), folder, "find");
    repository.name = options.name.empty() ? name_of_repository(repository.folder) : options.name;
    if (options.lfs) {
        repository.lfs = *options.lfs;
    } else {
        MODELSEAL_TRY_ASSIGN(repository.lfs, lfs_folder(repository.folder, deadline));
    }
    return repository;
}

// One push.
class PushCheck {
  public:
    PushCheck(const Push& push, const Policy& policy, const PushOptions& options, Repository repository,
              const Workplace& workplace, const Limits& limits, const PushTaker& taken)
        : push_(push),
          policy_(policy),
          options_(options),
          repository_(std::move(repository)),
          workplace_(workplace),
          limits_(limits),
          taken_(taken),
          objects_(limits.deadline),
          contents_(objects_, LfsStore(repository_.lfs), workplace.path(), options.most_bytes, limits_),
          finder_(
              objects_, contents_, {.each = options.each},
              [this](const ChangedModel& model) { return check(model); },
              [this](const ChangedModel& file, const Error& error) { return unreadable(file, error); }) {}

    Result<PushSummary> run() {
        MODELSEAL_TRY(resolve_updates());
        MODELSEAL_TRY(walk_commits());
        for (const auto& moved : moved_) MODELSEAL_TRY(compare_tips(moved));
        for (const auto& [id, ref] : trees_) MODELSEAL_TRY(finder_.find(id, ref, id, {}));
        for (const auto& [id, ref] : blobs_) MODELSEAL_TRY(finder_.find_blob(id, ref));
        return summary_;
    }

  private:
    struct Moved {
        std::string ref, from, to;  // commits
    };

    // What the refs name, after tags: commits, or trees and blobs.
    Result<void> resolve_updates() {
        for (const auto& update : push_.updates) {
            if (update.new_id.empty()) continue;
            MODELSEAL_TRY_ASSIGN(const auto now, objects_.info(update.new_id + "^{}"));
            if (!now) return missing(update.ref, update.new_id);
            if (now->type == "tree") trees_.emplace(now->id, update.ref);
            if (now->type == "blob") blobs_.emplace(now->id, update.ref);
            if (now->type != "commit") continue;
            tips_.emplace(now->id, update.ref);
            if (update.old_id.empty()) continue;
            MODELSEAL_TRY_ASSIGN(const auto before, objects_.info(update.old_id + "^{}"));
            if (before && before->type == "commit" && before->id != now->id)
                moved_.push_back({update.ref, before->id, now->id});
        }
        return {};
    }

    // Those that the push brings, with their parents.
    Result<void> walk_commits() {
        if (tips_.empty()) return {};
        MODELSEAL_TRY_ASSIGN(const auto program, start_walk());
        std::string line;
        while (true) {
            MODELSEAL_TRY_ASSIGN(const bool more, program->line(line));
            if (!more) break;
            ++summary_.commits;
            MODELSEAL_TRY(look_at_commit(line));
        }
        return program->finish();
    }

    Result<std::unique_ptr<GitProgram>> start_walk() {
        std::string input;
        for (const auto& [id, ref] : tips_) input += id + "\n";
        if (push_.hook != Push::Hook::pre_push)
            return GitProgram::start(walk_from_refs(), input, limits_.deadline);
        // What the other side has, as far as it is known here.
        for (const auto& moved : moved_) input += "^" + moved.from + "\n";
        return GitProgram::start(walk_from_remote(escaped(push_.remote) + "/*"), input, limits_.deadline);
    }

    // Of patterns, a name without a meaning of its own.
    static std::string escaped(const std::string& name) {
        std::string out;
        for (const char c : name) {
            if (std::string_view("*?[\\").find(c) != std::string_view::npos) out += '\\';
            out += c;
        }
        return out;
    }

    // "COMMIT PARENT PARENT..."
    Result<void> look_at_commit(std::string_view line) {
        const std::string commit(line.substr(0, line.find(' ')));
        std::vector<std::string> parents;
        for (auto blank = line.find(' '); blank != line.npos && parents.size() < kMostParents;) {
            line.remove_prefix(blank + 1);
            blank = line.find(' ');
            MODELSEAL_TRY_ASSIGN(auto tree, tree_of(std::string(line.substr(0, blank))));
            parents.push_back(std::move(tree));
        }
        MODELSEAL_TRY_ASSIGN(const auto tree, tree_of(commit));
        const auto tip = tips_.find(commit);
        return finder_.find(commit, tip != tips_.end() ? tip->second : only_ref(), tree, parents);
    }

    // Which of several refs a commit came with is not looked up.
    std::string only_ref() const { return push_.updates.size() == 1 ? push_.updates[0].ref : std::string(); }

    // What a ref had and what it has: a commit may be new to it, and not to the repository.
    Result<void> compare_tips(const Moved& moved) {
        MODELSEAL_TRY_ASSIGN(const auto before, tree_of(moved.from));
        MODELSEAL_TRY_ASSIGN(const auto now, tree_of(moved.to));
        return finder_.find(moved.to, moved.ref, now, std::span(&before, 1));
    }

    Result<std::string> tree_of(const std::string& commit) {
        MODELSEAL_TRY_ASSIGN(const auto info, objects_.info(commit + "^{tree}"));
        if (!info || info->type != "tree") return missing("commit " + commit, "of its tree");
        return info->id;
    }

    static Error missing(const std::string& of, const std::string& what) {
        return {ErrorKind::unreadable,
                fmt::format("{}: the repository does not have the object {}", util::printable(of), what),
                {}};
    }

    std::string policy_name(const std::string& path) const {
        return path.empty() ? repository_.name : repository_.name + "/" + path;
    }

    Result<void> check(const ChangedModel& model) {
        if (++summary_.models > options_.most_models) {
            return Error{
                ErrorKind::unsupported,
                fmt::format("the push changes more than {}", util::counted(options_.most_models, "model")),
                "push fewer commits at once"};
        }
        return hand_over(model, report_on(model));
    }

    Result<CheckReport> report_on(ChangedModel model) {
        // The root of the repository has a name where it is put.
        if (model.path.empty()) model.parts.front().path = "repository";
        const auto name = policy_name(model.path);
        const auto shown = model.path.empty() ? repository_.name : model.path;
        MODELSEAL_TRY_ASSIGN(const auto plan, plan_checkout(objects_, contents_, model));
        if (auto refused = policy_.too_large(shown, name, plan.bytes)) return std::move(*refused);
        MODELSEAL_TRY_ASSIGN(const auto folder, workplace_.empty_folder());
        MODELSEAL_TRY(write_checkout(contents_, plan, folder));
        const auto target = folder / model.parts.front().path;
        auto report = policy_.check(target, {.name = name, .jobs = options_.jobs, .limits = limits_});
        if (!report.ok()) return std::move(report).error();
        for (const auto& written : {target.string(), util::printable(target.string())})
            rename_in(*report, written, shown);
        const auto parent = model.path.substr(0, model.path.rfind('/') + 1);
        for (const auto& written : {folder.string() + "/", util::printable(folder.string() + "/")})
            rename_in(*report, written, parent);
        return report;
    }

    Result<void> unreadable(const ChangedModel& file, const Error& error) {
        if (++failures_ > kMostFailures) {
            return Error{
                ErrorKind::unreadable,
                fmt::format("more than {} of the push cannot be read", util::counted(kMostFailures, "file")),
                {}};
        }
        return hand_over(file, error);
    }

    Result<void> hand_over(const ChangedModel& model, Result<CheckReport> report) {
        return taken_({.repository = repository_.name,
                       .path = model.path,
                       .commit = model.commit,
                       .ref = model.ref,
                       .report = std::move(report)});
    }

    const Push& push_;
    const Policy& policy_;
    const PushOptions& options_;
    const Repository repository_;
    const Workplace& workplace_;
    const Limits limits_;
    const PushTaker& taken_;
    Objects objects_;
    Contents contents_;
    ModelFinder finder_;
    std::map<std::string, std::string> tips_, trees_, blobs_;  // by id, a ref that names it
    std::vector<Moved> moved_;
    std::size_t failures_ = 0;
    PushSummary summary_;
};

}  // namespace

Result<PushSummary> check_push(const Push& push, const Policy& policy, const PushOptions& options,
                               const PushTaker& taken) {
    const auto programs_before = git_programs_started();
    Limits limits;
    if (options.most_seconds)
        limits.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(*options.most_seconds);
    MODELSEAL_TRY_ASSIGN(auto repository, find_repository(options, limits.deadline));
    MODELSEAL_TRY_ASSIGN(const auto workplace, Workplace::create(repository.folder));
    PushCheck check(push, policy, options, std::move(repository), workplace, limits, taken);
    MODELSEAL_TRY_ASSIGN(auto summary, check.run());
    summary.programs = git_programs_started() - programs_before;
    return summary;
}

}  // namespace modelseal::hook
