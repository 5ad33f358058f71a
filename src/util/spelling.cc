#include "util/spelling.h"

#include "util/text.h"

namespace modelseal::util {
namespace {

// The next character of well-formed UTF-8, with the combining marks that follow it.
struct Letter {
    std::string_view base;
    bool marked = false;
};

std::string_view take_character(std::string_view& text) {
    std::size_t size = 1;
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
    const auto taken = text.substr(0, size);
    text.remove_prefix(size);
    return taken;
}

// U+0300 to U+036F, and the voicing marks of kana, U+3099 and U+309A.
bool begins_with_mark(std::string_view text) {
    if (text.size() >= 3 && text[0] == '\xE3' && text[1] == '\x82' && (text[2] == '\x99' || text[2] == '\x9A'))
        return true;
    if (text.size() < 2) return false;
    const auto first = static_cast<unsigned char>(text[0]), second = static_cast<unsigned char>(text[1]);
    return first == 0xCC || (first == 0xCD && second <= 0xAF);
}

Letter take_letter(std::string_view& text) {
    Letter letter{.base = take_character(text)};
    while (begins_with_mark(text)) {
        take_character(text);
        letter.marked = true;
    }
    return letter;
}

bool beyond_ascii(std::string_view character) {
    return (static_cast<unsigned char>(character.front()) & 0x80) != 0;
}

}  // namespace

bool may_be_same_text(std::string_view a, std::string_view b) {
    if (a == b || !is_utf8(a) || !is_utf8(b)) return false;
    while (!a.empty() && !b.empty()) {
        const auto one = take_letter(a), other = take_letter(b);
        if (one.marked == other.marked ? one.base != other.base
                                       : !beyond_ascii(one.marked ? other.base : one.base))
            return false;
    }
    return a.empty() && b.empty();
}

}  // namespace modelseal::util
