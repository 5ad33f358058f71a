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

}  // namespace modelseal::formats
