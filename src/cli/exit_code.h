// Exit codes, as the commands name them; the numbers are in <modelseal/report.h>.
#pragma once

#include "policy/decide.h"

namespace modelseal::cli {

using modelseal::ExitCode;
using policy::exit_code;
using policy::worst;

}  // namespace modelseal::cli
