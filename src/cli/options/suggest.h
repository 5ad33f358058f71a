// What the user probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace modelseal::cli {

// The one of `known` that is nearest to `word` by the number of letters to add, drop, change or swap; empty if
// none is near enough to be a slip of the hand.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

// The options of `known`, spelled as there, that `word` probably stands for: those that other programs call so, else the nearest one, else the only one that begins so.
std::vector<std::string> options_meant(std::string_view word, const std::vector<std::string>& known);

// The same for the name of a command.
std::string command_meant(std::string_view word, const std::vector<std::string>& known);

// "did you mean '--pub' or '--key'?"; empty for none.
std::string did_you_mean(const std::vector<std::string>& meant);

}  // namespace modelseal::cli
