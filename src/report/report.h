// Answers, as people and machines read them: text, JSON (schema modelseal-check/1), SARIF 2.1.0 and HTML.
//
// Names in a report come out of files and may be hostile: in every output here they are escaped, so that they
// can neither drive a terminal nor leave their place in a document. All functions are pure and thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <modelseal/report.h>

namespace modelseal {

struct TextStyle {
    bool color = false;   // ANSI colours
    bool all = false;     // list everything; otherwise long lists are cut, and say so
    unsigned width = 80;  // columns to keep to where names allow; 0: as many as it takes
};

// One line for what is intact; for anything else a few more that tell what, where and how much. Ends with a
// newline.
std::string to_text(const CheckReport& report, const TextStyle& style);

// `single`: one object, of the only report; otherwise a list. Pure ASCII. Ends with a newline.
std::string to_json(std::span<const CheckReport> reports, bool single);

// A SARIF log of one run: one rule per kind of finding, one result per finding; what is intact gives none.
// `version` is that of the program, for the tool component.
std::string to_sarif(std::span<const CheckReport> reports, std::string_view version);

// A page that stands alone: no scripts, nothing loaded from elsewhere, light or dark as the reader prefers.
std::string to_html(std::span<const CheckReport> reports);

}  // namespace modelseal
