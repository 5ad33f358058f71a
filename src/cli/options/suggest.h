// Guesses what the user meant by a misspelled word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace modelseal::cli {

// The word in `known` that takes the fewest edits (a letter added, dropped, changed or swapped) to get from `word`; empty
// if all take too many to be a typing error.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

// The options in `known` that `word` probably stands for, spelled as in `known`: those that other programs call `word`,
// else the nearest one, else the only one that begins with `word`.
std::vector<std::string> options_meant(std::string_view word, const std::vector<std::string>& known);

// The same for the name of a command.
std::string command_meant(std::string_view word, const std::vector<std::string>& known);

// "did you mean '--pub' or '--key'?"; empty for none.
std::string did_you_mean(const std::vector<std::string>& meant);

}  // namespace modelseal::cli
