// Checks many targets at once: small ones side by side, one thread each; a large one alone, with all threads.
//
// Memory is bounded by the number of threads, whatever the number of targets: those that were checked and not taken yet are
// counted, and hold up the others.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::jobs {

// A path, and the name by which rules of a policy are looked up.
struct Target {
    std::string path, name;
};

struct Crew {
    unsigned jobs = 0;  // threads; 0: all
    // The next target, or nothing at the end. Called by one thread at a time.
    std::function<std::optional<Target>()> next;
    // Called by several threads at once; `threads`: how many it may use.
    std::function<Result<CheckReport>(const Target& target, unsigned threads)> check;
    // Called by the calling thread, as targets are done. False: no further target is begun.
    std::function<bool(const Target& target, Result<CheckReport> report)> take;
};

// Returns when all targets are checked and taken. Exceptions of `check` become Errors (internal); those of `next` and `take`
// must not happen.
void check_all(const Crew& crew);

}  // namespace modelseal::jobs
