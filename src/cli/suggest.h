// What the user probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace modelseal::cli {

// The one of `known` that is nearest to `word` by the number of letters to add, drop, change or swap; empty if
// none is near enough to be a slip of the hand.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace modelseal::cli
