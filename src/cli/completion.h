// Scripts that complete commands, options and their values, made from the tree of commands that parses them.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace modelseal::cli {

std::string bash_completion(const CLI::App& program);
std::string zsh_completion(const CLI::App& program);
std::string fish_completion(const CLI::App& program);

}  // namespace modelseal::cli
