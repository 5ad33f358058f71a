#include "formats/reader.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "util/text.h"

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
        const auto error = too_few(out.size(), "a field");
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
    if (bytes > left()) return too_few(bytes, what);
    if (cap != 0 && bytes > cap)
        return malformed(fmt::format("{} of {} exceeds the limit of {}", what, util::counted(bytes, "byte"),
                                     util::counted(cap, "byte")));
    std::string text(static_cast<std::size_t>(bytes), '\0');
    MODELSEAL_TRY(this->bytes(std::as_writable_bytes(std::span(text))));
    return text;
}

Error Reader::too_few(std::uint64_t bytes, std::string_view what) const {
    const auto wanted = fmt::format("{} of {}", what, util::counted(bytes, "byte"));
    if (end_ == source_.size()) return ends_early(source_, position_, bytes - left(), wanted);
    return malformed(fmt::format("{}, but {} left", wanted, util::counted(left(), "byte")));
}

Result<void> Reader::skip(std::uint64_t bytes, std::string_view what) {
    if (bytes > left()) return too_few(bytes, what);
    position_ += bytes;
    return {};
}

Result<void> Reader::seek(std::uint64_t offset) {
    if (offset < begin_ || offset > end_)
        return malformed(fmt::format("a reference to offset {}, which is outside the data", offset));
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

Error ends_early(const Source& source, std::uint64_t offset, std::uint64_t missing, const std::string& what) {
    constexpr auto kBelievable = std::uint64_t{1} << 40;
    const auto bytes = util::counted(missing, "byte");
    if (missing > kBelievable) return malformed_at(source, offset, fmt::format("{}, {} too many", what, bytes));
    return {ErrorKind::malformed,
            fmt::format("{}: the file ends early, {} {} missing ({} at offset {})", source.name(), bytes,
                        missing == 1 ? "is" : "are", what, offset),
            "download or copy the file again"};
}

Error unsupported_at(const Source& source, std::uint64_t offset, const std::string& what) {
    return {ErrorKind::unsupported, fmt::format("{}: {} (at offset {})", source.name(), what, offset), {}};
}

}  // namespace modelseal::formats
