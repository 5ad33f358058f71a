// The one place that turns errors and verdicts into exit codes.
#pragma once

#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::cli {

// The numbers are a contract with scripts, registries and hooks.
enum class ExitCode : int {
    done = 0,      // everything that was to be checked was checked and holds, or the command did its work
    mismatch = 1,  // tampered, forged, wrong key, wrong stamp
    usage = 2,
    failed = 3,   // could not check or do it
    nothing = 4,  // nothing to check against
};

ExitCode exit_code(ErrorKind kind);
ExitCode exit_code(Verdict verdict);
// Of several targets: a mismatch outweighs a failure, a failure outweighs a missing seal, any of them outweighs
// success.
ExitCode worst(ExitCode a, ExitCode b);

}  // namespace modelseal::cli
