// Checks what a push changes, under a policy.
//
// Every commit that the push brings is looked at, not the last ones alone: what is in the history can be checked out. So is
// what each ref had before and has now, so that nobody puts an old version back by a commit that is there already. A model that
// is the same in several of them is checked once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "hook/git/push.h"
#include <modelseal/policy.h>
#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::hook {

struct PushOptions {
    // By which rules are looked up: NAME/PATH, or NAME if the whole repository is one model. Empty: the name of the
    // repository's folder, without ".git".
    std::string name = {};
    std::optional<std::filesystem::path> lfs = {};  // where objects of Git LFS are, if not in the repository
    bool each = false;                              // every model file is a model by itself
    std::uint64_t most_models = 1000;
    std::uint64_t most_bytes = 1ull << 40;  // that are read and written, of all models together
    std::optional<std::uint64_t> most_seconds = {};
    unsigned jobs = 0;  // threads; 0: all
};

// What became of one model. `report` has the path in the repository as its target.
struct PushedModel {
    std::string repository;
    std::string path;    // in the repository; empty: all of it
    std::string commit;  // the first one that has it so
    std::string ref;
    Result<CheckReport> report;  // an Error: could not be looked at
};

struct PushSummary {
    std::uint64_t commits = 0, models = 0, programs = 0;  // programs of git that were started
};

// Runs in the folder and the environment that git gives its hooks. Models are handed to `taken` as they are checked; an Error
// of it ends the check. An Error: the push could not be looked at to its end.
using PushTaker = std::function<Result<void>(const PushedModel& model)>;
Result<PushSummary> check_push(const Push& push, const Policy& policy, const PushOptions& options,
                               const PushTaker& taken);

}  // namespace modelseal::hook
