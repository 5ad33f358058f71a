#include "http/content_range.h"

#include <charconv>

#include "http/field_text.h"

namespace modelseal::http {
namespace {

constexpr std::uint64_t kMostSize = std::uint64_t{1} << 62;

bool take(std::string_view& text, std::string_view part) {
    if (!text.starts_with(part)) return false;
    text.remove_prefix(part.size());
    return true;
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t number = 0;
    const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc() || number >= kMostSize) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    return number;
}

}  // namespace

std::optional<ContentRange> parse_content_range(std::string_view text) {
    constexpr std::string_view kUnit = "bytes ";  // in any case
    if (lower_case(text.substr(0, kUnit.size())) != kUnit) return std::nullopt;
    text.remove_prefix(kUnit.size());
    const auto first = take_number(text);
    if (!first || !take(text, "-")) return std::nullopt;
    const auto last = take_number(text);
    if (!last || *last < *first || !take(text, "/")) return std::nullopt;
    ContentRange range{*first, *last, std::nullopt};
    if (text == "*") return range;
    range.size = take_number(text);
    return range.size && *range.size > *last && text.empty() ? std::optional(range) : std::nullopt;
}

}  // namespace modelseal::http
