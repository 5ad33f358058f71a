// The one place that turns errors and verdicts into exit codes.
#pragma once

#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::policy {

ExitCode exit_code(ErrorKind kind);
ExitCode exit_code(Verdict verdict);

// Of several checks or targets: a mismatch outweighs a failure, a failure outweighs a missing seal, any of them
// outweighs success.
ExitCode worst(ExitCode a, ExitCode b);
Verdict worst(Verdict a, Verdict b);

}  // namespace modelseal::policy
