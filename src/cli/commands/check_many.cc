#include "cli/commands/check_many.h"

#include <optional>
#include <set>
#include <utility>

#include "cli/options/remedies.h"
#include "jobs/many/results.h"
#include "jobs/many/share.h"
#include "jobs/many/targets.h"
#include "policy/decide.h"
#include "report/report.h"

namespace modelseal::cli {
namespace {

using jobs::Target;

// Side by side, as they come.
void check_crew(const ManyFlags& flags, std::function<std::optional<Target>()> next, std::uint64_t total,
                const CheckOne& check, const std::function<void(const Target&, CheckReport)>& take,
                const CheckResults& results, const Context& context) {
    const auto progress = context.progress({"checking", "models"}, Counted::steps);
    progress->total(total);
    jobs::check_all(
        {.jobs = context.jobs,
         .next = std::move(next),
         .check = [&](const Target& target, unsigned threads) { return check(target, threads, nullptr); },
         .take =
             [&](const Target& target, Result<CheckReport> report) {
                 progress->advance(1);
                 take(target, shown_report(target, std::move(report)));
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
Result<void> check_stream(const ManyFlags& flags, const CheckOne& check, CheckResults& results,
                          const Context& context) {
    MODELSEAL_TRY_ASSIGN(auto list, open_list(flags));
    const auto take = [&](const Target&, CheckReport report) { results.add(std::move(report)); };
    check_crew(
        flags, [&] { return list.next(); }, 0, check, take, results, context);
    if (const auto complete = list.complete(); !complete.ok()) results.add(complete.error());
    return {};
}

// A share of the targets, and those of them that have no result yet.
Result<void> check_share(const ManyFlags& flags, const std::vector<Target>& all, const CheckOne& check,
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
    const auto take = [&](const Target& target, CheckReport report) {
        if (file) {
            const auto written = file->append(target.path, report::to_json_line(report));
            if (!written.ok()) results.add(written.error());
        }
        results.add(std::move(report));
    };
    check_crew(flags, each_of(targets), targets.size(), check, take, results, context);
    return file ? file->finish() : Result<void>();
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
    if (!flags.each && flags.shard.empty() && flags.results.empty())
        return check_stream(flags, check, results, context);
    MODELSEAL_TRY_ASSIGN(const auto all, all_targets(flags, folders, others));
    return check_share(flags, all, check, question, results, context);
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
}

}  // namespace modelseal::cli
