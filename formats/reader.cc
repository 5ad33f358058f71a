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

// Characters that act on a terminal or on the order of what is shown: controls, and the bidirectional ones,
// which can make a name read as another (Unicode TR 36).
bool acts(std::string_view character) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) return at(0) < 0x20 || at(0) == 0x7F;
    if (character.size() == 2) return at(0) == 0xC2 && at(1) < 0xA0;
    if (character.size() != 3 || at(0) != 0xE2) return false;
    const bool marks_and_overrides =
        at(1) == 0x80 && (at(2) == 0x8E || at(2) == 0x8F || (at(2) >= 0xAA && at(2) <= 0xAE));
    const bool isolates = at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9;
    return marks_and_overrides || isolates;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto length = utf8_sequence(text);
        const auto character = text.substr(0, std::max<std::size_t>(length, 1));
        text.remove_prefix(character.size());
        if (length != 0 && !acts(character)) {
            out += character;
            continue;
        }
        for (const char byte : character) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
    return out;
}

}  // namespace modelseal::formats
