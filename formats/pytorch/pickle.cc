#include "formats/pytorch/pickle.h"

#include <charconv>

#include <fmt/format.h>

#include "formats/pytorch/pickle_machine.h"

namespace modelseal::formats::pytorch {

Result<Pickle> Pickle::walk(Reader& reader, const PickleLimits& limits) {
    return PickleMachine(reader, limits).run();
}

std::int64_t Pickle::integer(PickleRef ref) const {
    return nodes_[ref].number;
}

std::string_view Pickle::text(PickleRef ref) const {
    const auto& node = nodes_[ref];
    switch (node.kind) {
        case PickleKind::text:
        case PickleKind::bytes:
        case PickleKind::big_integer:
            return texts_[node.place];
        case PickleKind::global:
            return globals_[node.place].name;
        default:
            return {};
    }
}

const Pickle::Box* Pickle::box(PickleRef ref) const {
    const auto& node = nodes_[ref];
    switch (node.kind) {
        case PickleKind::list:
        case PickleKind::set:
        case PickleKind::dict:
        case PickleKind::object:
            return &boxes_[node.place];
        default:
            return nullptr;
    }
}

std::span<const PickleRef> Pickle::items(PickleRef ref) const {
    const auto& node = nodes_[ref];
    if (node.kind == PickleKind::tuple) return std::span(slots_).subspan(node.first, node.second);
    const auto* found = box(ref);
    return found != nullptr ? std::span<const PickleRef>(found->items) : std::span<const PickleRef>();
}

std::span<const PickleRef> Pickle::pairs(PickleRef ref) const {
    const auto* found = box(ref);
    return found != nullptr ? std::span<const PickleRef>(found->pairs) : std::span<const PickleRef>();
}

std::span<const PickleRef> Pickle::states(PickleRef ref) const {
    const auto* found = box(ref);
    return found != nullptr ? std::span<const PickleRef>(found->states) : std::span<const PickleRef>();
}

// The opcodes that are lines of text, mostly of protocol 0.

namespace {

constexpr std::uint64_t kMaxLineBytes = 1u << 20;  // a decimal, a name or a quoted text of protocol 0

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18 & 0x07));
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

// Reads `digits` hexadecimal digits at the front of `text`.
bool hexadecimal(std::string_view text, std::size_t digits, std::uint32_t& value) {
    if (text.size() < digits) return false;
    const auto end = text.data() + digits;
    return std::from_chars(text.data(), end, value, 16).ptr == end;
}

// The escapes that repr() of Python 2 wrote.
bool unescape(std::string_view text, std::string& out) {
    while (!text.empty()) {
        if (text[0] != '\\') {
            out.push_back(text[0]);
            text.remove_prefix(1);
            continue;
        }
        if (text.size() < 2) return false;
        constexpr std::string_view letters = "nrtabfv0", values("\n\r\t\a\b\f\v\0", 8);
        std::uint32_t code = 0;
        if (text[1] == 'x') {
            if (!hexadecimal(text.substr(2), 2, code)) return false;
            out.push_back(static_cast<char>(code));
            text.remove_prefix(4);
            continue;
        }
        const auto letter = letters.find(text[1]);
        out.push_back(letter != std::string_view::npos ? values[letter] : text[1]);
        text.remove_prefix(2);
    }
    return true;
}

}  // namespace

Result<std::string> PickleMachine::line() {
    std::string text;
    for (;;) {
        MODELSEAL_TRY_ASSIGN(const auto byte, in_.u8());
        if (byte == '\n') break;
        if (text.size() >= kMaxLineBytes) return in_.malformed("pickle: a line does not end");
        text.push_back(static_cast<char>(byte));
    }
    MODELSEAL_TRY(charge(text.size()));
    return text;
}

Result<void> PickleMachine::decimal(bool with_suffix) {
    MODELSEAL_TRY_ASSIGN(const auto read, line());
    std::string_view text = read;
    if (!with_suffix && text == "00") return make({.kind = Kind::boolean, .number = 0});
    if (!with_suffix && text == "01") return make({.kind = Kind::boolean, .number = 1});
    if (with_suffix && text.ends_with('L')) text.remove_suffix(1);
    std::int64_t value = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec == std::errc() && parsed.ptr == end) return make_integer(value);
    if (parsed.ec == std::errc::result_out_of_range && parsed.ptr == end) {
        return make_text(Kind::big_integer, {});
    }
    return in_.malformed("pickle: invalid number");
}

Result<void> PickleMachine::quoted() {
    MODELSEAL_TRY_ASSIGN(const auto text, line());
    std::string_view inner = text;
    const bool quotes =
        inner.size() >= 2 && inner.front() == inner.back() && (inner.front() == '\'' || inner.front() == '"');
    if (!quotes) return in_.malformed("pickle: a text has no quotes");
    std::string plain;
    if (!unescape(inner.substr(1, inner.size() - 2), plain)) {
        return in_.malformed("pickle: invalid escape in a text");
    }
    return make_text(Kind::text, std::move(plain));
}

// Latin-1 with \uXXXX and \UXXXXXXXX.
Result<void> PickleMachine::raw_unicode() {
    MODELSEAL_TRY_ASSIGN(const auto text, line());
    MODELSEAL_TRY(charge(text.size()));
    std::string plain;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t digits = rest.starts_with("\\u") ? 4 : rest.starts_with("\\U") ? 8 : 0;
        std::uint32_t code = static_cast<unsigned char>(rest[0]);
        if (digits != 0 && (!hexadecimal(rest.substr(2), digits, code) || code > 0x10FFFF)) {
            return in_.malformed("pickle: invalid escape in a text");
        }
        append_utf8(plain, code);
        rest.remove_prefix(digits != 0 ? 2 + digits : 1);
    }
    return make_text(Kind::text, std::move(plain));
}

Result<std::uint64_t> PickleMachine::memo_index() {
    MODELSEAL_TRY_ASSIGN(const auto text, line());
    std::uint64_t index = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, index);
    if (parsed.ec != std::errc() || parsed.ptr != end) return in_.malformed("pickle: invalid memo index");
    return index;
}

}  // namespace modelseal::formats::pytorch
