// The error of a command that was to print JSON: a program that reads it must not find nothing.
#pragma once

#include <string>
#include <string_view>

#include <modelseal/report.h>
#include <modelseal/result.h>

namespace modelseal::report {

// Schema modelseal-error/1: pure ASCII, ends with a newline. `command`: "seal", "customer list"; empty if none was chosen.
std::string to_json(std::string_view command, const Error& error, ExitCode code);

}  // namespace modelseal::report
