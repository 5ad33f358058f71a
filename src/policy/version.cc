#include "policy/version.h"

#include <algorithm>
#include <string>
#include <vector>

namespace modelseal::policy {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Part {
    // In ascending order. A release ends where its pre-release has letters.
    enum class Kind { letters, end, post, number };
    Kind kind = Kind::end;
    std::string text;  // digits without leading zeros, or small letters
};

std::optional<std::vector<Part>> parts_of(std::string_view version) {
    if (version.starts_with('v') || version.starts_with('V')) version.remove_prefix(1);
    if (version.empty() || !is_digit(version.front())) return std::nullopt;
    version = version.substr(0, version.find('+'));
    std::vector<Part> parts;
    for (std::size_t at = 0; at < version.size();) {
        const auto kind = is_digit(version[at]) ? &is_digit : &is_letter;
        const auto end =
            std::find_if_not(version.begin() + static_cast<std::ptrdiff_t>(at), version.end(), kind);
        std::string text(version.begin() + static_cast<std::ptrdiff_t>(at), end);
        if (text.empty()) {
            ++at;  // a separator
            continue;
        }
        at += text.size();
        if (kind == &is_digit) {
            text.erase(0, text.find_first_not_of('0'));
            parts.push_back({Part::Kind::number, std::move(text)});
        } else {
            std::ranges::transform(text, text.begin(),
                                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
            const auto of = text == "post" ? Part::Kind::post : Part::Kind::letters;
            parts.push_back({of, std::move(text)});
        }
    }
    return parts;
}

std::strong_ordering compare(const Part& a, const Part& b) {
    if (a.kind != b.kind) {
        // "2.1" and "2.1.0" are the same.
        const auto is_zero = [](const Part& part) {
            return part.kind == Part::Kind::number && part.text.empty();
        };
        const bool one_ends = a.kind == Part::Kind::end || b.kind == Part::Kind::end;
        if (one_ends && (is_zero(a) || is_zero(b))) return std::strong_ordering::equal;
        return a.kind <=> b.kind;
    }
    if (a.kind == Part::Kind::number && a.text.size() != b.text.size()) return a.text.size() <=> b.text.size();
    return a.text <=> b.text;
}

}  // namespace

std::optional<std::strong_ordering> compare_versions(std::string_view a, std::string_view b) {
    const auto left = parts_of(a), right = parts_of(b);
    if (!left || !right) return std::nullopt;
    static const Part end;
    for (std::size_t i = 0; i < std::max(left->size(), right->size()); ++i) {
        const auto order = compare(i < left->size() ? (*left)[i] : end, i < right->size() ? (*right)[i] : end);
        if (order != 0) return order;
    }
    return std::strong_ordering::equal;
}

}  // namespace modelseal::policy
