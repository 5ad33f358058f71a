#include "util/text.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace modelseal::util {
namespace {

// Length of the well-formed UTF-8 sequence at the front of `text` (RFC 3629), or 0.
std::size_t utf8_sequence(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = at(0);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : (lead & 0xF0) == 0xE0       ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xC0) != 0x80) return 0;
    }
    if (lead == 0xE0 && at(1) < 0xA0) return 0;
    if (lead == 0xED && at(1) > 0x9F) return 0;
    if (lead == 0xF0 && at(1) < 0x90) return 0;
    if (lead == 0xF4 && at(1) > 0x8F) return 0;
    return length;
}

struct CodePoints {
    char32_t first, last;
};

// Characters that act on a terminal or on the order of the text, or take no space: two names that differ in
// them look the same (Unicode TR 36). These are the categories Cc, Cf, Zl and Zp of Unicode 15, and those of
// its property Default_Ignorable_Code_Point: fillers, variation selectors, tags.
constexpr CodePoints kUnseen[] = {
    {0x0000, 0x001F},   {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x0600, 0x0605},
    {0x061C, 0x061C},   {0x06DD, 0x06DD},   {0x070F, 0x070F},   {0x0890, 0x0891},   {0x08E2, 0x08E2},
    {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

// Of a well-formed UTF-8 sequence.
char32_t code_point(std::string_view sequence) {
    const auto lead = static_cast<unsigned char>(sequence[0]);
    char32_t code = sequence.size() == 1 ? lead : lead & (0x7Fu >> sequence.size());
    for (const char byte : sequence.substr(1)) code = code << 6 | (static_cast<unsigned char>(byte) & 0x3Fu);
    return code;
}

std::string plural_of(std::string_view noun) {
    const auto ends = [&](std::string_view ending) { return noun.ends_with(ending); };
    if (ends("y") && !ends("ay") && !ends("ey") && !ends("oy")) {
        return std::string(noun.substr(0, noun.size() - 1)) + "ies";
    }
    const bool hisses = ends("s") || ends("x") || (ends("ch") && !ends("poch")) || ends("sh");
    return std::string(noun) + (hisses ? "es" : "s");
}

bool is_unseen(std::string_view sequence) {
    const auto code = code_point(sequence);
    const auto* range = std::ranges::lower_bound(kUnseen, code, {}, &CodePoints::last);
    return range != std::end(kUnseen) && range->first <= code;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = utf8_sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto length = utf8_sequence(text);
        const auto character = text.substr(0, std::max<std::size_t>(length, 1));
        text.remove_prefix(character.size());
        if (length != 0 && !is_unseen(character)) {
            out += character;
            continue;
        }
        for (const char byte : character) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
    return out;
}

std::string grouped(std::uint64_t number) {
    auto text = fmt::format("{}", number);
    for (auto at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
    return text;
}

std::string counted(std::uint64_t number, std::string_view noun) {
    return grouped(number) + ' ' + (number == 1 ? std::string(noun) : plural_of(noun));
}

}  // namespace modelseal::util
