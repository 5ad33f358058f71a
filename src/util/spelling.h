// Names that people take for the same.
#pragma once

#include <string_view>

namespace modelseal::util {

// True for two texts in UTF-8 of which one may be the other in another normalization form (NFC, NFD): they differ, and
// where they do, one has a letter beyond ASCII and the other a letter with combining marks. A guess, without the tables of
// Unicode: for hints. Linear time.
bool may_be_same_text(std::string_view a, std::string_view b);

}  // namespace modelseal::util
