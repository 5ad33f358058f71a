#include "report/html_parts.h"

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::report {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : util::printable(text)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string fact(std::string_view term, std::string_view value, std::string_view group, std::string_view kind) {
    if (value.empty()) return {};
    return fmt::format("<div{}><dt>{}</dt><dd{}>{}</dd></div>\n", group, escaped(term), kind, value);
}

}  // namespace modelseal::report
