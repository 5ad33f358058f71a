// Options that would have no effect are refused: whoever gave one believes that it has.
#pragma once

#include <span>
#include <vector>

#include <CLI/CLI.hpp>

#include <modelseal/result.h>

namespace modelseal::cli {

// What is done with targets; a command that has no such distinction needs none.
struct TargetUses {
    bool on_disk = false;  // files whose signature can be verified
    bool read = false;     // weights, in which a seal is looked for
    bool run = false;      // here, to be asked about a fingerprint
    bool served = false;   // by somebody else, to be asked
    bool http = false;     // at a URL
    bool asked = false;    // run or served
};

struct OptionRule {
    const char* option;
    std::vector<const char*> needs = {};  // one of these; none: nothing else
    bool TargetUses::*target = nullptr;   // some target must be used so; null: any will do
};

// ErrorKind::usage for the first option that was given without what it needs.
Result<void> refuse_idle_options(const CLI::App& command, std::span<const OptionRule> rules,
                                 const TargetUses& uses = {});

}  // namespace modelseal::cli
