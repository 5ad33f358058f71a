// The back of a zip archive:
//   central directory | zip64 end record? | zip64 locator? | end record | comment
#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "formats/reader.h"
#include "formats/zip.h"
#include "util/text.h"

namespace modelseal::formats {
namespace {

constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocatorSignature = 0x07064b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kLocatorBytes = 20;
constexpr std::uint64_t kEnd64Bytes = 56;  // without the extensible data sector
constexpr std::uint64_t kMaxCommentBytes = 0xFFFF;
constexpr std::uint64_t kCentralBytes = 46;
constexpr std::uint16_t kZip64Extra = 0x0001;
constexpr std::uint16_t kUnicodePathExtra = 0x7075;
constexpr std::uint64_t kOtherEntries = 1u << 20;  // code and notes, in addition to one entry per tensor

// The content of the end records.
struct End {
    std::uint64_t entries = 0;
    std::uint64_t size = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // where the records start
};

Error again(Error cut_short) {
    cut_short.hint = "download or copy the file again";
    return cut_short;
}

// The last end record in the file. Its comment must reach the end of the file exactly.
Result<std::uint64_t> find_end(const Source& source) {
    const auto tail = std::min(source.size(), kEndBytes + kMaxCommentBytes);
    std::vector<std::byte> bytes(static_cast<std::size_t>(tail));
    MODELSEAL_TRY(source.read(source.size() - tail, bytes));
    constexpr std::array signature = {std::byte{'P'}, std::byte{'K'}, std::byte{5}, std::byte{6}};
    const auto found = std::find_end(bytes.begin(), bytes.end(), signature.begin(), signature.end());
    if (found == bytes.end()) {
        return again(
            malformed_at(source, source.size(),
                         "the file is cut short or not a zip archive: no end of central directory found"));
    }
    const auto at = source.size() - tail + static_cast<std::uint64_t>(found - bytes.begin());
    if (source.size() - at < kEndBytes)
        return again(malformed_at(source, at, "the file is cut short: the zip end record is incomplete"));
    Reader reader(source, at + 20, at + kEndBytes);
    MODELSEAL_TRY_ASSIGN(const auto comment, reader.u16());
    if (source.size() - at - kEndBytes != comment) {
        return malformed_at(
            source, at,
            fmt::format("zip: the comment has {} by the end record, {} by the file",
                        util::counted(comment, "byte"), util::counted(source.size() - at - kEndBytes, "byte")));
    }
    return at;
}

Result<void> one_disk(const Source& source, std::uint64_t at, std::uint64_t disk, std::uint64_t first_disk,
                      std::uint64_t entries_here, std::uint64_t entries) {
    if (disk == 0 && first_disk == 0 && entries_here == entries) return {};
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: zip: archives split into several files are not supported (at offset {})",
                             source.name(), at),
                 {}};
}

Result<End> read_end64(const Source& source, std::uint64_t locator) {
    Reader reader(source, locator, locator + kLocatorBytes);
    MODELSEAL_TRY(reader.skip(4, "signature"));
    MODELSEAL_TRY_ASSIGN(const auto disk, reader.u32());
    MODELSEAL_TRY_ASSIGN(const auto at, reader.u64());
    MODELSEAL_TRY_ASSIGN(const auto disks, reader.u32());
    MODELSEAL_TRY(one_disk(source, locator, disk, 0, std::max(disks, 1u), 1));
    if (at > locator || locator - at < kEnd64Bytes) {
        return malformed_at(source, locator, "zip: the zip64 locator points outside the file");
    }
    Reader record(source, at, locator);
    MODELSEAL_TRY_ASSIGN(const auto signature, record.u32());
    if (signature != kEnd64Signature)
        return malformed_at(source, at, "zip: no zip64 end record at this offset");
    MODELSEAL_TRY_ASSIGN(const auto length, record.u64());
    if (length != record.left()) {
        return malformed_at(source, at,
                            fmt::format("zip: the zip64 end record has {}, but its locator is {} further",
                                        util::counted(length, "byte"), util::counted(record.left(), "byte")));
    }
    MODELSEAL_TRY(record.skip(4, "versions"));
    MODELSEAL_TRY_ASSIGN(const auto this_disk, record.u32());
    MODELSEAL_TRY_ASSIGN(const auto first_disk, record.u32());
    End end{.end = at};
    MODELSEAL_TRY_ASSIGN(const auto entries_here, record.u64());
    MODELSEAL_TRY_ASSIGN(end.entries, record.u64());
    MODELSEAL_TRY_ASSIGN(end.size, record.u64());
    MODELSEAL_TRY_ASSIGN(end.begin, record.u64());
    MODELSEAL_TRY(one_disk(source, at, this_disk, first_disk, entries_here, end.entries));
    return end;
}

bool agree(std::uint64_t narrow, std::uint64_t saturated, std::uint64_t wide) {
    return narrow == saturated || narrow == wide;
}

Result<End> read_end(const Source& source) {
    MODELSEAL_TRY_ASSIGN(const auto at, find_end(source));
    Reader reader(source, at + 4, at + kEndBytes);
    MODELSEAL_TRY_ASSIGN(const auto disk, reader.u16());
    MODELSEAL_TRY_ASSIGN(const auto first_disk, reader.u16());
    MODELSEAL_TRY_ASSIGN(const auto entries_here, reader.u16());
    End end{.end = at};
    MODELSEAL_TRY_ASSIGN(end.entries, reader.u16());
    MODELSEAL_TRY_ASSIGN(end.size, reader.u32());
    MODELSEAL_TRY_ASSIGN(end.begin, reader.u32());

    std::uint32_t locator = 0;
    if (at >= kLocatorBytes) {
        MODELSEAL_TRY_ASSIGN(locator, Reader(source, at - kLocatorBytes, at).u32());
    }
    if (locator != kLocatorSignature) {
        MODELSEAL_TRY(one_disk(source, at, disk, first_disk, entries_here, end.entries));
        return end;
    }
    MODELSEAL_TRY_ASSIGN(const auto wide, read_end64(source, at - kLocatorBytes));
    if (!agree(disk, 0xFFFF, 0) || !agree(first_disk, 0xFFFF, 0) || !agree(end.entries, 0xFFFF, wide.entries) ||
        !agree(entries_here, 0xFFFF, wide.entries) || !agree(end.size, 0xFFFFFFFF, wide.size) ||
        !agree(end.begin, 0xFFFFFFFF, wide.begin)) {
        return malformed_at(source, at, "zip: the end record and the zip64 end record differ");
    }
    return wide;
}

// The values that an entry's 32-bit fields leave to its extra field.
Result<void> read_zip64_extra(Reader& extra, ZipEntry& entry) {
    const auto wide = [&](std::uint64_t& value, std::string_view what) -> Result<void> {
        if (value != 0xFFFFFFFF) return {};
        if (extra.left() < 8) {
            return extra.malformed(
                fmt::format("zip: {}: the zip64 field does not contain the {}", shown(entry), what));
        }
        MODELSEAL_TRY_ASSIGN(value, extra.u64());
        return {};
    };
    MODELSEAL_TRY(wide(entry.size, "size"));
    MODELSEAL_TRY(wide(entry.packed, "compressed size"));
    return wide(entry.header, "offset");
}

Result<void> read_extra(const Source& source, std::uint64_t begin, std::uint64_t length, ZipEntry& entry) {
    Reader extra(source, begin, begin + length);
    const bool wants_zip64 =
        entry.size == 0xFFFFFFFF || entry.packed == 0xFFFFFFFF || entry.header == 0xFFFFFFFF;
    bool zip64 = false;
    while (extra.left() != 0) {
        if (extra.left() < 4)
            return extra.malformed(fmt::format("zip: {}: an extra field is cut off", shown(entry)));
        MODELSEAL_TRY_ASSIGN(const auto id, extra.u16());
        MODELSEAL_TRY_ASSIGN(const auto bytes, extra.u16());
        const auto field = extra.position();
        MODELSEAL_TRY(extra.skip(bytes, fmt::format("zip: {}: an extra field", shown(entry))));
        if (id == kUnicodePathExtra) {
            return extra.malformed(fmt::format("zip: {}: an extra field contains a second name", shown(entry)));
        }
        if (id != kZip64Extra) continue;
        if (zip64) return extra.malformed(fmt::format("zip: {}: two zip64 fields", shown(entry)));
        zip64 = true;
        Reader values(source, field, field + bytes);
        if (wants_zip64) MODELSEAL_TRY(read_zip64_extra(values, entry));
    }
    if (wants_zip64 && !zip64) return extra.malformed(fmt::format("zip: {}: no zip64 field", shown(entry)));
    return {};
}

// Names are relative paths inside the archive, in one spelling.
std::string name_problem(std::string_view name) {
    if (name.empty()) return "no name";
    if (name.find('\0') != std::string_view::npos) return "a name with a NUL byte";
    if (name.find('\\') != std::string_view::npos) return "a name with a backslash";
    if (name.front() == '/' || (name.size() > 1 && name[1] == ':')) return "an absolute path as its name";
    for (std::size_t begin = 0; begin <= name.size();) {
        const auto end = std::min(name.find('/', begin), name.size());
        if (name.substr(begin, end - begin) == "..") return "a name that leaves the archive";
        begin = end + 1;
    }
    return {};
}

Result<ZipEntry> read_central(const Source& source, Reader& reader, const Limits& limits) {
    ZipEntry entry;
    const auto at = reader.position();
    MODELSEAL_TRY_ASSIGN(const auto signature, reader.u32());
    if (signature != kCentralSignature) {
        return malformed_at(source, at, "zip: no entry of the central directory at this offset");
    }
    MODELSEAL_TRY(reader.skip(4, "versions"));
    MODELSEAL_TRY_ASSIGN(entry.flags, reader.u16());
    MODELSEAL_TRY_ASSIGN(entry.method, reader.u16());
    MODELSEAL_TRY(reader.skip(4, "time"));
    entry.central_crc = reader.position();
    MODELSEAL_TRY_ASSIGN(entry.crc, reader.u32());
    MODELSEAL_TRY_ASSIGN(entry.packed, reader.u32());
    MODELSEAL_TRY_ASSIGN(entry.size, reader.u32());
    MODELSEAL_TRY_ASSIGN(const auto name_bytes, reader.u16());
    MODELSEAL_TRY_ASSIGN(const auto extra_bytes, reader.u16());
    MODELSEAL_TRY_ASSIGN(const auto comment_bytes, reader.u16());
    MODELSEAL_TRY_ASSIGN(const auto disk, reader.u16());
    MODELSEAL_TRY(reader.skip(6, "attributes"));
    MODELSEAL_TRY_ASSIGN(entry.header, reader.u32());
    MODELSEAL_TRY_ASSIGN(entry.name, reader.string(name_bytes, limits.name_bytes, "zip: an entry's name"));
    if (const auto problem = name_problem(entry.name); !problem.empty()) {
        return malformed_at(source, at, fmt::format("zip: {} has {}", shown(entry), problem));
    }
    const auto extra = reader.position();
    MODELSEAL_TRY(reader.skip(extra_bytes, "zip: an extra field"));
    MODELSEAL_TRY(read_extra(source, extra, extra_bytes, entry));
    MODELSEAL_TRY(reader.skip(comment_bytes, "zip: a comment"));
    if (disk != 0 && disk != 0xFFFF) MODELSEAL_TRY(one_disk(source, at, disk, 0, 0, 0));
    if (entry.stored() && !entry.encrypted() && entry.packed != entry.size) {
        return malformed_at(source, at,
                            fmt::format("zip: {} is stored uncompressed, but its sizes are {} and {}",
                                        shown(entry), entry.packed, util::counted(entry.size, "byte")));
    }
    return entry;
}

Result<void> unique_names(const Source& source, const std::vector<ZipEntry>& entries) {
    std::vector<std::string_view> names;
    names.reserve(entries.size());
    for (const auto& entry : entries) names.push_back(entry.name);
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice == names.end()) return {};
    return malformed_at(source, entries.front().central_crc,
                        fmt::format("zip: entry '{}' appears twice", util::printable(*twice)));
}

}  // namespace

std::string shown(const ZipEntry& entry) {
    return fmt::format("entry '{}'", util::printable(entry.name));
}

bool looks_like_zip(const Source& source) {
    std::array<std::byte, 4> head;
    constexpr std::array signature = {std::byte{'P'}, std::byte{'K'}, std::byte{3}, std::byte{4}};
    return source.size() >= kEndBytes && source.read(0, head).ok() && head == signature;
}

Result<ZipDirectory> read_zip_directory(const Source& source, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(const auto end, read_end(source));
    if (end.begin > end.end || end.end - end.begin != end.size) {
        return malformed_at(source, end.end,
                            fmt::format("zip: the central directory of {} at {} does not end at {}",
                                        util::counted(end.size, "byte"), end.begin, end.end));
    }
    if (limits.metadata_bytes != 0 && end.size > limits.metadata_bytes) {
        return malformed_at(
            source, end.begin,
            fmt::format("zip: the central directory of {} exceeds the limit", util::counted(end.size, "byte")));
    }
    const bool too_many = limits.tensors != 0 && end.entries > limits.tensors + kOtherEntries;
    if (end.entries > end.size / kCentralBytes || too_many) {
        return malformed_at(source, end.end,
                            fmt::format("zip: {} exceed the limit", util::counted(end.entries, "entry")));
    }
    ZipDirectory directory{.begin = end.begin};
    directory.entries.reserve(static_cast<std::size_t>(end.entries));
    Reader reader(source, end.begin, end.end);
    for (std::uint64_t i = 0; i < end.entries; ++i) {
        MODELSEAL_TRY_ASSIGN(auto entry, read_central(source, reader, limits));
        directory.entries.push_back(std::move(entry));
    }
    if (reader.left() != 0) {
        return reader.malformed(fmt::format("zip: {} after the last of {}",
                                            util::counted(reader.left(), "byte"),
                                            util::counted(end.entries, "entry")));
    }
    MODELSEAL_TRY(unique_names(source, directory.entries));
    return directory;
}

}  // namespace modelseal::formats
