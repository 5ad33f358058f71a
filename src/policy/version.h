// Versions of models, compared as people mean them: "2.10" is after "2.9", "2.1-rc1" before "2.1", which is "2.1.0".
//
// After Semantic Versioning 2.0.0, section 11, more lenient: any number of parts, a leading "v", parts also separated by '-'
// and '_' or by a change between digits and letters ("1.0rc1"). A part of letters is before a number and before the end
// (a release has no such part), "post" is after. What follows '+' says nothing.
#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace modelseal::policy {

// Nothing if one of them does not begin with a digit, or 'v' and a digit.
std::optional<std::strong_ordering> compare_versions(std::string_view a, std::string_view b);

}  // namespace modelseal::policy
