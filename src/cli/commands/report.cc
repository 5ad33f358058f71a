#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands/commands.h"
#include "cli/options/outputs.h"
#include "io/file.h"
#include "jobs/many/results.h"
#include "report/check/json.h"
#include "report/check/read.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::cli {
namespace {

using nlohmann::ordered_json;

struct MergeFlags {
    std::vector<std::string> files;
    std::string html;
    bool json = false;
};

// How many there are of each verdict, and of each outcome of a policy.
struct Counts {
    explicit Counts(const jobs::Merged& merged) {
        for (const auto& result : merged.results) {
            ++verdicts[result.verdict];
            if (!result.outcome.empty()) ++outcomes[result.outcome];
        }
    }
    std::map<std::string, std::uint64_t> verdicts, outcomes;
};

std::string merged_json(const jobs::Merged& merged) {
    const Counts counts(merged);
    ordered_json out = {{"schema", "modelseal-merge/1"},
                        {"exit_code", static_cast<int>(merged.exit_code())},
                        {"targets", merged.targets},
                        {"checked", merged.results.size()},
                        {"verdicts", counts.verdicts}};
    if (!counts.outcomes.empty()) out["policy"] = counts.outcomes;
    out["gaps"] = report::texts(merged.gaps);
    out["contradictions"] = report::texts(merged.contradictions);
    out["not_passed"] = ordered_json::array();
    for (const auto& result : merged.results) {
        if (result.exit_code == 0 && result.outcome != "warn") continue;
        ordered_json row = {{"target", report::json_text(result.target)},
                            {"verdict", report::json_text(result.verdict)},
                            {"exit_code", result.exit_code},
                            {"detail", report::json_text(result.detail)}};
        if (!result.outcome.empty()) row["policy"] = report::json_text(result.outcome);
        out["not_passed"].push_back(std::move(row));
    }
    return report::dumped(out);
}

std::string merged_text(const jobs::Merged& merged) {
    const Counts counts(merged);
    auto out = fmt::format("{} of {} checked", report::grouped(merged.results.size()),
                           report::counted(merged.targets, "target"));
    auto separator = ": ";
    for (const auto& [word, count] : counts.outcomes.empty() ? counts.verdicts : counts.outcomes) {
        out += fmt::format("{}{} {}", separator, report::grouped(count), util::printable(word));
        separator = ", ";
    }
    out += "\n";
    for (const auto& gap : merged.gaps) out += "  gap: " + gap + "\n";
    for (const auto& contradiction : merged.contradictions) out += "  contradiction: " + contradiction + "\n";
    for (const auto& result : merged.results) {
        if (result.exit_code == 0 && result.outcome != "warn") continue;
        out += fmt::format("  {}: {}{}\n", util::printable(result.target),
                           util::printable(result.outcome.empty() ? result.verdict : result.outcome),
                           result.detail.empty() ? "" : ", " + util::printable(result.detail));
    }
    return out;
}

// The page that one run would have made.
Result<void> write_page(const MergeFlags& flags, const std::vector<std::filesystem::path>& files,
                        const jobs::Merged& merged) {
    report::Page page;
    MODELSEAL_TRY(jobs::visit_results(
        files, merged, [&](const jobs::MergedResult& result, const std::string& line) -> Result<void> {
            const auto where =
                fmt::format("{}:{}: ", util::printable(files[result.file].string()), result.line);
            const auto report = report::read_report(line);
            if (!report.ok()) return Error{report.error().kind, where + report.error().message, {}};
            if (report->target != result.target)
                return Error{ErrorKind::unreadable, where + "changed while it was read", {}};
            page.add(*report);
            return {};
        }));
    report::PageInfo info{.program = merged.program, .keys = merged.keys, .exit_code = merged.exit_code()};
    if (merged.begun != std::chrono::sys_seconds{}) info.date = merged.begun;
    for (const auto& gap : merged.gaps) info.problems.push_back("gap: " + gap);
    for (const auto& two : merged.contradictions) info.problems.push_back("contradiction: " + two);
    return io::write_text(flags.html, page.html(info), 0644, io::WriteMode::replace);
}

Result<ExitCode> run_merge(const MergeFlags& flags, Context& context) {
    MODELSEAL_TRY(refuse_overwriting(flags.html, flags.files));
    MODELSEAL_TRY(refuse_other_content(flags.html, OutputKind::page));
    const std::vector<std::filesystem::path> files(flags.files.begin(), flags.files.end());
    MODELSEAL_TRY_ASSIGN(const auto merged, jobs::merge_results(files));
    if (flags.json) {
        context.terminal.print_data(merged_json(merged));
    } else {
        context.terminal.print(merged_text(merged));
    }
    if (!flags.html.empty()) MODELSEAL_TRY(write_page(flags, files, merged));
    return merged.exit_code();
}

}  // namespace

void add_report(CLI::App& program, Context& context) {
    auto& report = add_command(program, "report", "Sum up results of many checks",
                               {"modelseal report merge results-*.jsonl"});
    report.require_subcommand(1);
    const auto flags = std::make_shared<MergeFlags>();
    auto& merge = add_command(report, "merge", "Merge the results of several machines into one summary",
                              {"modelseal report merge results-*.jsonl",
                               "modelseal report merge results-*.jsonl --html report.html"});
    merge.add_option("FILE", flags->files, "file that 'modelseal check --results' wrote")->required();
    merge.add_flag("--json", flags->json, "print JSON (schema modelseal-merge/1)");
    merge.add_option("--html", flags->html, "write the page that one run would have made to this file")
        ->type_name("FILE");
    on_run(merge, context, [flags](Context& running) { return run_merge(*flags, running); });
}

}  // namespace modelseal::cli
