#include "http/header_file.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "http/field_text.h"
#include "io/file.h"
#include "util/byte_order_mark.h"
#include "util/text.h"

namespace modelseal::http {
namespace {

constexpr std::uint64_t kMostBytes = 64u << 10;
constexpr std::size_t kMostFileFields = 100;

// About the message and the connection, which a second word would break.
constexpr std::array<std::string_view, 14> kOurs = {"accept-encoding",
                                                    "connection",
                                                    "content-encoding",
                                                    "content-length",
                                                    "content-type",
                                                    "expect",
                                                    "if-range",
                                                    "keep-alive",
                                                    "range",
                                                    "te",
                                                    "trailer",
                                                    "upgrade",
                                                    "transfer-encoding",
                                                    "inference-header-content-length"};

// RFC 9110, section 5.6.2.
bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        const char low = lower_case(c);
        return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

bool is_value(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte >= 0x20 && byte != 0x7F) || c == '\t';
    });
}

}  // namespace

bool may_be_public(std::string_view name) {
    return lower_case(name) == "host";
}

Result<Fields> parse_header_fields(std::string_view text, const std::string& source) {
    Fields fields;
    std::set<std::string> once;
    std::size_t number = 0;
    text = util::without_mark(text);
    while (!text.empty()) {
        const auto line = trimmed(text.substr(0, text.find('\n')));
        text.remove_prefix(
            std::min(text.size(), text.find('\n') == text.npos ? text.size() : text.find('\n') + 1));
        ++number;
        const auto refused = [&](std::string_view why) {
            return Error{ErrorKind::usage, fmt::format("{}: line {} {}", source, number, why),
                         "write a header field a line: NAME: VALUE"};
        };
        if (line.empty()) continue;
        const auto colon = line.find(':');
        const auto name = line.substr(0, colon);
        if (colon == line.npos || !is_token(name)) return refused("is not a header field");
        const auto value = trimmed(line.substr(colon + 1));
        if (!is_value(value)) return refused(fmt::format("has no valid value for {}", name));
        const auto low = lower_case(name);
        if (std::ranges::find(kOurs, low) != kOurs.end() || low.starts_with("proxy-"))
            return refused(fmt::format("has {}, which the client decides about", name));
        const bool single = low == "host" || low == "authorization";
        if (single && !once.insert(low).second) return refused(fmt::format("has a second {}", name));
        if (fields.size() == kMostFileFields) return refused("is one too many");
        fields.emplace_back(name, value);
    }
    if (!fields.empty()) return fields;
    return Error{ErrorKind::usage, source + ": has no header field",
                 "write a header field a line: NAME: VALUE"};
}

Result<Fields> read_header_file(const std::filesystem::path& file) {
    MODELSEAL_TRY_ASSIGN(const auto text, io::read_text(file, kMostBytes));
    return parse_header_fields(text, util::printable(file.string()));
}

}  // namespace modelseal::http
