#include "hook/oci/tar.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "util/error.h"
#include "util/text.h"

namespace modelseal::hook {
namespace {

constexpr std::uint64_t kMostMembers = 1'000'000, kMostExtension = 64u << 10;

// A field of a header: text up to the first NUL byte.
std::string_view field_of(std::span<const std::byte> block, std::size_t at, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(block.data()) + at, size);
    return text.substr(0, text.find('\0'));
}

// Octal digits, with spaces around them; or, where the first bit is set, a number to the base 256 (GNU).
std::optional<std::uint64_t> number_of(std::span<const std::byte> field) {
    if ((std::to_integer<unsigned>(field[0]) & 0x80u) != 0) {
        std::uint64_t value = std::to_integer<unsigned>(field[0]) & 0x7Fu;
        for (const auto byte : field.subspan(1)) {
            if (value >> 55 != 0) return std::nullopt;
            value = value << 8 | std::to_integer<unsigned>(byte);
        }
        return value;
    }
    auto text = field_of(field, 0, field.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    std::uint64_t value = 0;
    const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    if (text.empty() || code != std::errc() || stop != text.data() + text.size()) return std::nullopt;
    return value;
}

// The sum of all bytes, those of the checksum's own field taken as spaces.
bool has_checksum(std::span<const std::byte> block) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < block.size(); ++i)
        sum += i >= 148 && i < 156 ? 0x20u : std::to_integer<unsigned>(block[i]);
    return number_of(block.subspan(148, 8)) == sum;
}

// GNU's own headers have times where ustar has the prefix. Go's reader takes for a prefix what cannot be a time.
bool has_two_readings(std::span<const std::byte> block) {
    const auto is_time = [&](std::size_t at) {
        return block[at] == std::byte{0} || number_of(block.subspan(at, 12)).has_value();
    };
    return field_of(block, 257, 8) == "ustar  " && !(is_time(345) && is_time(357));
}

std::string path_of(std::span<const std::byte> block) {
    const auto name = field_of(block, 0, 100);
    // As Go's reader, which registries and their clients unpack with: it does not look at the version, and Schily's star ends the
    // field earlier, for two times.
    const bool posix = field_of(block, 257, 6) == "ustar";
    const bool star = field_of(block, 508, 4) == "tar";
    const auto prefix = posix ? field_of(block, 345, star ? 131 : 155) : std::string_view();
    return prefix.empty() ? std::string(name) : fmt::format("{}/{}", prefix, name);
}

}  // namespace

Error TarReader::spoiled(std::string_view what) const {
    return util::malformed(name_, what);
}

Result<void> TarReader::take(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        if (state_ == State::header) {
            const auto count = std::min(bytes.size(), kBlock - filled_);
            std::copy_n(bytes.begin(), count, block_.begin() + static_cast<std::ptrdiff_t>(filled_));
            filled_ += count;
            bytes = bytes.subspan(count);
            if (filled_ < kBlock) return {};
            filled_ = 0;
            MODELSEAL_TRY(header());
        } else if (state_ == State::content || state_ == State::extension) {
            const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
            const auto part = bytes.first(count);
            if (state_ == State::content) MODELSEAL_TRY(receiver_.bytes(part));
            if (state_ == State::extension) text_.append(reinterpret_cast<const char*>(part.data()), count);
            left_ -= count;
            bytes = bytes.subspan(count);
            if (left_ == 0) MODELSEAL_TRY(after_content());
        } else if (state_ == State::padding) {
            const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), padding_));
            padding_ -= count;
            bytes = bytes.subspan(count);
            if (padding_ == 0) state_ = State::header;
        } else {
            // Programs fill their last record with zeros.
            if (std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{0}; }))
                return spoiled("bytes after the end of the archive");
            return {};
        }
    }
    return {};
}

Result<void> TarReader::after_content() {
    const bool was_extension = state_ == State::extension;
    state_ = padding_ > 0 ? State::padding : State::header;
    return was_extension ? extension() : receiver_.end();
}

Result<void> TarReader::header() {
    if (std::ranges::all_of(block_, [](std::byte byte) { return byte == std::byte{0}; })) {
        if (++zero_blocks_ == 2) state_ = State::end;
        return {};
    }
    if (zero_blocks_ > 0) return spoiled("members after the end of the archive");
    if (!has_checksum(block_)) return spoiled("not a tar archive, or a damaged one");
    if (has_two_readings(block_)) return spoiled("a header that can be read in two ways");
    if (++members_ > kMostMembers) return spoiled("more than 1,000,000 members");
    const auto size = number_of(std::span(block_).subspan(124, 12));
    if (!size) return spoiled("a member without a valid size");
    const char type = static_cast<char>(block_[156]);
    if (type == 'x' || type == 'g' || type == 'L') {
        // Some programs merge them, and some let the last one replace the others.
        if (pending_ != 0) return spoiled("several extended headers for one member");
        if (type != 'g') pending_ = type;
        if (*size > kMostExtension) return spoiled("an extended header of more than 64 KiB");
        extended_ = type;
        text_.clear();
        left_ = *size;
        padding_ = (kBlock - *size % kBlock) % kBlock;
        state_ = State::extension;
        return left_ == 0 ? after_content() : Result<void>();
    }
    pending_ = 0;
    auto path = next_path_.empty() ? path_of(block_) : std::exchange(next_path_, {});
    return member(type, std::move(path), std::exchange(has_next_size_, false) ? next_size_ : *size);
}

Result<void> TarReader::member(char type, std::string path, std::uint64_t size) {
    const bool folder = type == '5' || ((type == '0' || type == '\0') && path.ends_with('/'));
    if (type != '0' && type != '\0' && !folder) {
        const auto what = type == '1' || type == '2' ? "a link" : "neither a file nor a folder";
        return spoiled(
            fmt::format("'{}' is {}, which is not unpacked", util::printable(path.substr(0, 300)), what));
    }
    if (folder) {
        if (size != 0) return spoiled("a folder with content");
        return receiver_.folder(path);
    }
    MODELSEAL_TRY(receiver_.begin(path, size));
    left_ = size;
    padding_ = (kBlock - size % kBlock) % kBlock;
    state_ = State::content;
    return left_ == 0 ? after_content() : Result<void>();
}

// pax: "LENGTH KEY=VALUE\n", where LENGTH counts all of it.
Result<void> TarReader::extension() {
    if (extended_ == 'L') {
        next_path_ = text_.substr(0, text_.find('\0'));
        if (next_path_.empty()) return spoiled("an empty long name");
        return {};
    }
    std::string_view rest = text_;
    while (!rest.empty()) {
        std::size_t length = 0;
        const auto [stop, code] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
        const auto digits = static_cast<std::size_t>(stop - rest.data());
        if (code != std::errc() || length > rest.size() || length < digits + 3 || *stop != ' ' ||
            rest[length - 1] != '\n')
            return spoiled("a damaged extended header");
        const auto record = rest.substr(digits + 1, length - digits - 2);
        rest.remove_prefix(length);
        const auto equals = record.find('=');
        if (equals == std::string_view::npos) return spoiled("a damaged extended header");
        const auto key = record.substr(0, equals), value = record.substr(equals + 1);
        const bool decides =
            key == "path" || key == "size" || key == "linkpath" || key.starts_with("GNU.sparse");
        if (!decides) continue;
        // For all members that follow, which programs read differently; and sparse files, likewise.
        if (extended_ == 'g' || key.starts_with("GNU.sparse") || value.find('\0') != std::string_view::npos)
            return spoiled("an extended header that is not unpacked");
        if (key == "path") next_path_ = value;
        if (key == "size") {
            const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), next_size_);
            if (wrong != std::errc() || end != value.data() + value.size())
                return spoiled("a damaged extended header");
            has_next_size_ = true;
        }
    }
    return {};
}

Result<void> TarReader::finish() const {
    const bool between = state_ == State::end || (state_ == State::header && filled_ == 0 && members_ > 0);
    if (between && pending_ == 0) return {};
    return spoiled("the archive is cut off");
}

}  // namespace modelseal::hook
