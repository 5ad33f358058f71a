#include "formats/reader.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace modelseal::formats {

namespace {
constexpr std::size_t kWindowBytes = 64u << 10;
}

Reader::Reader(const Source& source, std::uint64_t begin, std::uint64_t end)
    : source_(source), begin_(begin), position_(begin), end_(std::min(end, source.size())) {
    if (begin_ > end_) begin_ = position_ = end_;
}

Error Reader::malformed(const std::string& what) const {
    return malformed_at(source_, position_, what);
}

Result<void> Reader::fill(std::uint64_t offset, std::span<std::byte> out) {
    const bool inside = offset >= window_begin_ && offset - window_begin_ <= window_.size() &&
                        out.size() <= window_.size() - (offset - window_begin_);
    if (!inside) {
        if (out.size() > kWindowBytes) return source_.read(offset, out);
        window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kWindowBytes, end_ - offset)));
        window_begin_ = offset;
        if (auto read = source_.read(offset, window_); !read) {
            window_.clear();
            return read;
        }
    }
    std::memcpy(out.data(), window_.data() + (offset - window_begin_), out.size());
    return {};
}

Result<void> Reader::bytes(std::span<std::byte> out) {
    if (out.empty()) return {};
    if (out.size() > left()) {
        const auto error =
            malformed(fmt::format("ends too early: {} bytes wanted, {} left", out.size(), left()));
        position_ = end_;
        return error;
    }
    MODELSEAL_TRY(fill(position_, out));
    position_ += out.size();
    return {};
}

template <class T>
Result<T> Reader::little_endian() {
    std::byte raw[sizeof(T)];
    MODELSEAL_TRY(bytes(raw));
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        value = static_cast<T>(value |
                               static_cast<T>(static_cast<T>(std::to_integer<unsigned>(raw[i])) << (8 * i)));
    }
    return value;
}

Result<std::uint8_t> Reader::u8() {
    return little_endian<std::uint8_t>();
}
Result<std::uint16_t> Reader::u16() {
    return little_endian<std::uint16_t>();
}
Result<std::uint32_t> Reader::u32() {
    return little_endian<std::uint32_t>();
}
Result<std::uint64_t> Reader::u64() {
    return little_endian<std::uint64_t>();
}

Result<std::string> Reader::string(std::uint64_t bytes, std::uint64_t cap, std::string_view what) {
    if (bytes > left()) return malformed(fmt::format("{} of {} bytes, but {} left", what, bytes, left()));
    if (cap != 0 && bytes > cap)
        return malformed(fmt::format("{} of {} bytes is over the limit of {}", what, bytes, cap));
    std::string text(static_cast<std::size_t>(bytes), '\0');
    MODELSEAL_TRY(this->bytes(std::as_writable_bytes(std::span(text))));
    return text;
}

Result<void> Reader::skip(std::uint64_t bytes, std::string_view what) {
    if (bytes > left()) return malformed(fmt::format("{} of {} bytes, but {} left", what, bytes, left()));
    position_ += bytes;
    return {};
}

Result<void> Reader::seek(std::uint64_t offset) {
    if (offset < begin_ || offset > end_)
        return malformed(fmt::format("a reference to offset {}, outside", offset));
    position_ = offset;
    return {};
}

Result<void> MemorySource::read(std::uint64_t offset, std::span<std::byte> out) const {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
        return Error{ErrorKind::unreadable, fmt::format("{}: read past the end", name_), {}};
    }
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
}

Error malformed_at(const Source& source, std::uint64_t offset, const std::string& what) {
    return {ErrorKind::malformed, fmt::format("{}: {} (at offset {})", source.name(), what, offset), {}};
}

Error unsupported_at(const Source& source, std::uint64_t offset, const std::string& what) {
    return {ErrorKind::unsupported, fmt::format("{}: {} (at offset {})", source.name(), what, offset), {}};
}

bool checked_add(std::uint64_t a, std::uint64_t b, std::uint64_t& sum) {
    return !__builtin_add_overflow(a, b, &sum);
}
bool checked_mul(std::uint64_t a, std::uint64_t b, std::uint64_t& product) {
    return !__builtin_mul_overflow(a, b, &product);
}

bool element_count(std::span<const std::uint64_t> shape, std::uint64_t& elements) {
    elements = 1;
    // A zero anywhere makes the tensor empty, whatever the other dimensions would multiply to.
    if (std::ranges::find(shape, 0u) != shape.end()) {
        elements = 0;
        return true;
    }
    return std::ranges::all_of(shape,
                               [&](std::uint64_t extent) { return checked_mul(elements, extent, elements); });
}

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
}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = utf8_sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

namespace {

struct CodePoints {
    char32_t first, last;
};

// Characters that act on a terminal, on the order of what is shown, or that take no place: two names that
// differ in them look alike (Unicode TR 36). They are the categories Cc, Cf, Zl and Zp of Unicode 15, and what
// its property Default_Ignorable_Code_Point adds: fillers, variation selectors, tags.
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

bool is_unseen(std::string_view sequence) {
    const auto code = code_point(sequence);
    const auto* range = std::ranges::lower_bound(kUnseen, code, {}, &CodePoints::last);
    return range != std::end(kUnseen) && range->first <= code;
}

}  // namespace

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

}  // namespace modelseal::formats
