#include "cli/commands/check_many.h"

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "cli/options/remedies.h"
#include "jobs/many/cache.h"
#include "jobs/many/results.h"
#include "jobs/many/share.h"
#include "jobs/many/targets.h"
#include "policy/decide.h"
#include "report/report.h"

namespace modelseal::cli {
namespace {

using jobs::Target;

constexpr const char* kProgram = "modelseal " MODELSEAL_VERSION;

// Asks the cache before it checks, and remembers of which targets the cache knew. Without a cache it checks.
class CachedCheck {
  public:
    CachedCheck(const CheckOne& check, jobs::CheckCache* cache) : check_(check), cache_(cache) {}

    // Called by several threads.
    Result<CheckReport> operator()(const Target& target, unsigned threads) {
        if (cache_ == nullptr) return check_(target, {.threads = threads});
        auto look = cache_->look(target);
        if (look.known) {
            const std::scoped_lock lock(mutex_);
            known_.insert(target.path);
            return std::move(*look.known);
        }
        jobs::FilesRead read;
        auto report = check_(target, {.threads = threads, .read = &read});
        if (report.ok()) cache_->keep(target, look, read, *report);
        return report;
    }

    // Whether the answer that was just taken is the cache's.
    report::Source source_of(const Target& target) {
        const std::scoped_lock lock(mutex_);
        const auto found = known_.find(target.path);
        if (found == known_.end()) return report::Source::check;
        known_.erase(found);
        return report::Source::cache;
    }

  private:
    const CheckOne& check_;
    jobs::CheckCache* const cache_;
    std::mutex mutex_;
    std::multiset<std::string> known_;
};

using Take = std::function<void(const Target&, CheckReport, report::Source)>;

// Side by side, as they come.
void check_crew(const ManyFlags& flags, std::function<std::optional<Target>()> next, std::uint64_t total,
                CachedCheck& check, const Take& take, const CheckResults& results, const Context& context) {
    const auto progress = context.progress({"checking", "models"}, Counted::steps);
    progress->total(total);
    jobs::check_all({.jobs = context.jobs,
                     .next = std::move(next),
                     .check = [&](const Target& target, unsigned threads) { return check(target, threads); },
                     .take =
                         [&](const Target& target, Result<CheckReport> report) {
                             progress->advance(1);
                             take(target, shown_report(target, std::move(report)), check.source_of(target));
                             return !results.failed() && (!flags.fail_fast || results.code() == ExitCode::done);
                         }});
}

std::function<std::optional<Target>()> each_of(const std::vector<Target>& targets) {
    return [&targets, at = std::size_t{0}]() mutable {
        return at == targets.size() ? std::nullopt : std::optional(targets[at++]);
    };
}

Result<jobs::TargetList> open_list(const ManyFlags& flags) {
    return jobs::TargetList::open(flags.from, flags.null ? '\0' : '\n');
}

// All that are listed or below the folders, each once.
Result<std::vector<Target>> all_targets(const ManyFlags& flags, const std::vector<std::string>& folders,
                                        bool others) {
    std::vector<Target> targets;
    std::set<std::string> known;
    const auto add = [&](Target target) {
        if (known.insert(target.path).second) targets.push_back(std::move(target));
    };
    if (!flags.from.empty()) {
        MODELSEAL_TRY_ASSIGN(auto list, open_list(flags));
        while (auto target = list.next()) add(std::move(*target));
        MODELSEAL_TRY(list.complete());
    }
    for (const auto& folder : folders) {
        MODELSEAL_TRY_ASSIGN(auto below, jobs::models_below(folder, others));
        for (auto& target : below) add(std::move(target));
    }
    return targets;
}

// As targets are named, without waiting for the end of the list.
Result<void> check_stream(const ManyFlags& flags, CachedCheck& check, CheckResults& results,
                          const Context& context) {
    MODELSEAL_TRY_ASSIGN(auto list, open_list(flags));
    const auto take = [&](const Target&, CheckReport report, report::Source source) {
        results.add(std::move(report), source);
    };
    check_crew(
        flags, [&] { return list.next(); }, 0, check, take, results, context);
    if (const auto complete = list.complete(); !complete.ok()) results.add(complete.error());
    return {};
}

// A share of the targets, and those of them that have no result yet.
Result<void> check_share(const ManyFlags& flags, const std::vector<Target>& all, CachedCheck& check,
                         const std::string& question, CheckResults& results, const Context& context) {
    MODELSEAL_TRY_ASSIGN(const auto share,
                         flags.shard.empty() ? Result(jobs::Share{}) : jobs::parse_share(flags.shard));
    auto targets = jobs::targets_of(share, all);
    std::optional<jobs::ResultsFile> file;
    if (!flags.results.empty()) {
        const auto info = results.page_info();
        auto head = jobs::head_of(all, share, targets.size(), info.program, question);
        head.begun = info.date.value_or(head.begun);
        head.keys = info.keys;
        auto opened = flags.resume ? jobs::ResultsFile::resume(flags.results, head)
                                   : jobs::ResultsFile::create(flags.results, head);
        if (!opened.ok()) return opened.error();
        file = std::move(*opened);
        std::erase_if(targets, [&](const Target& target) { return file->has(target.path); });
        if (file->count() > 0) results.leave_out(file->count());
    }
    const auto take = [&](const Target& target, CheckReport report, report::Source source) {
        if (file) {
            const auto written = file->append(target.path, report::to_json_line(report, source));
            if (!written.ok()) results.add(written.error());
        }
        results.add(std::move(report), source);
    };
    check_crew(flags, each_of(targets), targets.size(), check, take, results, context);
    return file ? file->finish() : Result<void>();
}

Result<void> check_listed(const ManyFlags& flags, const std::vector<std::string>& folders, bool others,
                          CachedCheck& check, const std::string& question, CheckResults& results,
                          const Context& context) {
    if (!flags.each && flags.shard.empty() && flags.results.empty())
        return check_stream(flags, check, results, context);
    MODELSEAL_TRY_ASSIGN(const auto all, all_targets(flags, folders, others));
    return check_share(flags, all, check, question, results, context);
}

}  // namespace

CheckReport shown_report(const Target& target, Result<CheckReport> report) {
    auto out = report.ok() ? std::move(report).value() : policy::report_of(target.path, report.error());
    name_options(out);
    return out;
}

Result<void> check_many(const ManyFlags& flags, const std::vector<std::string>& folders, bool others,
                        const CheckOne& check, const std::string& question, CheckResults& results,
                        const Context& context) {
    std::optional<jobs::CheckCache> cache;
    if (!flags.cache.empty()) {
        MODELSEAL_TRY_ASSIGN(cache, jobs::CheckCache::open(flags.cache, kProgram, question));
    }
    CachedCheck cached(check, cache ? &*cache : nullptr);
    MODELSEAL_TRY(check_listed(flags, folders, others, cached, question, results, context));
    // What was found stands, whatever became of the cache.
    if (const auto done = cache ? cache->finish() : Result<void>(); !done.ok()) results.add(done.error());
    return {};
}

void add_many_options(CLI::App& command, ManyFlags& flags) {
    auto* from =
        command
            .add_option("--from", flags.from, "check the targets in this list, one a line; - is standard input")
            ->type_name("LIST");
    command.add_flag("-0,--null", flags.null, "targets of the list end with NUL bytes");
    command.add_flag("--each", flags.each, "check every model below TARGET, a folder, on its own")
        ->excludes(from);
    command.add_flag("--fail-fast", flags.fail_fast, "begin no further target after one that does not pass");
    command
        .add_option("--shard", flags.shard, "check share I of N, counted from 0; auto: as the scheduler says")
        ->type_name("I/N|auto");
    command.add_option("--results", flags.results, "append each result to this file, a line of JSON each")
        ->type_name("FILE");
    command.add_flag("--resume", flags.resume, "go on where the results end");
    command
        .add_option("--cache", flags.cache,
                    "keep in this file what is intact, and read it again only if it was touched")
        ->type_name("FILE");
}

}  // namespace modelseal::cli
