// What an option tells about its value, for the help and the completion scripts.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace modelseal::cli {

// "FILE"; empty for a flag.
std::string value_name(const CLI::Option& option);
// The values of which one must be chosen (CLI::IsMember); empty if any will do.
std::vector<std::string> choices(const CLI::Option& option);
// "-k", "--key"; empty for a positional.
std::vector<std::string> spellings(const CLI::Option& option);

}  // namespace modelseal::cli
