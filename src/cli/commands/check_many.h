// Many targets in one run of `check`: a list, or all models below folders; shares of them, and files of results.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/commands/check_results.h"
#include "cli/commands/command.h"
#include "jobs/check/check.h"
#include "jobs/many/crew.h"

namespace modelseal::cli {

struct ManyFlags {
    std::string from;  // a list of targets
    std::string shard, results, cache;
    bool null = false, each = false, fail_fast = false, resume = false;
    bool any() const { return !from.empty() || each; }
};

// Declares --from, --null, --each, --fail-fast, --shard, --results, --resume and --cache.
void add_many_options(CLI::App& command, ManyFlags& flags);

// How one target is checked.
struct CheckRun {
    unsigned threads = 0;
    Progress* progress = nullptr;
    jobs::FilesRead* read = nullptr;  // as of jobs::check_model(); a check under a policy leaves it empty
};
using CheckOne = std::function<Result<CheckReport>(const jobs::Target& target, const CheckRun& run)>;

// An error about one target (a signature of an endpoint, say) must not hide the reports of the others.
CheckReport shown_report(const jobs::Target& target, Result<CheckReport> report);

// Precondition: flags.any(). `folders`: with --each. `others`: files that are not models are targets as well. `question`: the
// digest of what decides the results.
Result<void> check_many(const ManyFlags& flags, const std::vector<std::string>& folders, bool others,
                        const CheckOne& check, const std::string& question, CheckResults& results,
                        const Context& context);

}  // namespace modelseal::cli
