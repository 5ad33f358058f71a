// Pieces of the page that to_html() makes.
#pragma once

#include <string>
#include <string_view>

namespace modelseal::report {

// For text and for attribute values in quotes alike.
std::string escaped(std::string_view text);

// A term and its value, which is HTML already; nothing for an empty value. `group` and `kind` are attributes.
std::string fact(std::string_view term, std::string_view value, std::string_view group = {},
                 std::string_view kind = {});

}  // namespace modelseal::report
