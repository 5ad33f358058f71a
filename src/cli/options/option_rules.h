// Options that would have no effect are refused: a user who gives one relies on it.
#pragma once

#include <span>
#include <vector>

#include <CLI/CLI.hpp>

#include <modelseal/result.h>

namespace modelseal::cli {

// What targets are used for, each true if any of them is; default for commands without this distinction.
struct TargetUses {
    bool on_disk = false;  // has files whose signature can be verified
    bool read = false;     // has weights to look for a seal in
    bool run = false;      // is run here, to query it about a fingerprint
    bool served = false;   // is run by a server or a program, and queried
    bool http = false;     // has a URL
    bool asked = false;    // is run or served
};

struct OptionRule {
    const char* option;
    std::vector<const char*> needs = {};  // one of these must be given, if there are any
    bool TargetUses::*target = nullptr;   // some target must be used so; null: any will do
};

// ErrorKind::usage for the first option that was given without what it needs.
Result<void> refuse_idle_options(const CLI::App& command, std::span<const OptionRule> rules,
                                 const TargetUses& uses = {});

}  // namespace modelseal::cli
