// The front of a zip archive, entry after entry:
//   local header | name | extra field | packed bytes | data descriptor?
// A data descriptor comes in four spellings (with or without signature, 32 or 64-bit sizes); which one it is
// follows from the room up to the next entry.
#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>
#include <zlib.h>

#include "formats/reader.h"
#include "formats/zip.h"
#include "util/text.h"

namespace modelseal::formats {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kDescriptorSignature = 0x08074b50;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint16_t kHasDescriptor = 0x0008;
constexpr std::uint16_t kMeaningfulFlags =
    0x2049;  // encryption and descriptor: must be the same in both headers
constexpr std::uint16_t kZip64ExtraField = 0x0001;

struct LocalSizes {
    std::uint64_t packed = 0;
    std::uint64_t size = 0;
};

// Resolves 32-bit sizes that leave their value to the zip64 field.
Result<LocalSizes> widen(const Source& source, LocalSizes sizes, std::uint64_t begin, std::uint64_t length,
                         const ZipEntry& entry) {
    if (sizes.packed != 0xFFFFFFFF && sizes.size != 0xFFFFFFFF) return sizes;
    Reader extra(source, begin, begin + length);
    while (extra.left() >= 4) {
        MODELSEAL_TRY_ASSIGN(const auto id, extra.u16());
        MODELSEAL_TRY_ASSIGN(const auto bytes, extra.u16());
        if (id != kZip64ExtraField) {
            MODELSEAL_TRY(extra.skip(bytes, fmt::format("zip: {}: an extra field", shown(entry))));
            continue;
        }
        Reader field(source, extra.position(), std::min(extra.position() + bytes, extra.end()));
        if (sizes.size == 0xFFFFFFFF) {
            MODELSEAL_TRY_ASSIGN(sizes.size, field.u64());
        }
        if (sizes.packed == 0xFFFFFFFF) {
            MODELSEAL_TRY_ASSIGN(sizes.packed, field.u64());
        }
        return sizes;
    }
    return extra.malformed(fmt::format("zip: {}: no zip64 field in its local header", shown(entry)));
}

// Reads the local header and fills in where the data begin. `next` is where the next entry, or the directory,
// begins.
Result<void> read_local(const Source& source, ZipEntry& entry, std::uint64_t next) {
    const auto differs = [&](std::string_view what) {
        return malformed_at(
            source, entry.header,
            fmt::format("zip: {}: its local header and the directory differ in the {}", shown(entry), what));
    };
    Reader reader(source, entry.header, std::min(next, entry.header + kLocalBytes));
    MODELSEAL_TRY_ASSIGN(const auto signature, reader.u32());
    if (signature != kLocalSignature) {
        return malformed_at(source, entry.header,
                            fmt::format("zip: {}: no local header at this offset", shown(entry)));
    }
    MODELSEAL_TRY(reader.skip(2, "version"));
    MODELSEAL_TRY_ASSIGN(const auto flags, reader.u16());
    MODELSEAL_TRY_ASSIGN(const auto method, reader.u16());
    MODELSEAL_TRY(reader.skip(4, "time"));
    MODELSEAL_TRY_ASSIGN(const auto crc, reader.u32());
    LocalSizes sizes;
    MODELSEAL_TRY_ASSIGN(sizes.packed, reader.u32());
    MODELSEAL_TRY_ASSIGN(sizes.size, reader.u32());
    MODELSEAL_TRY_ASSIGN(const auto name_bytes, reader.u16());
    MODELSEAL_TRY_ASSIGN(const auto extra_bytes, reader.u16());
    if (((flags ^ entry.flags) & kMeaningfulFlags) != 0) return differs("flags");
    if (method != entry.method) return differs("method");
    if (name_bytes != entry.name.size()) return differs("name");

    Reader names(source, reader.position(), std::min(next, reader.position() + name_bytes + extra_bytes));
    MODELSEAL_TRY_ASSIGN(const auto name, names.string(name_bytes, 0, "zip: a name"));
    if (name != entry.name) return differs("name");
    const auto extra = names.position();
    MODELSEAL_TRY(names.skip(extra_bytes, fmt::format("zip: {}: an extra field", shown(entry))));
    entry.data = extra + extra_bytes;
    MODELSEAL_TRY_ASSIGN(sizes, widen(source, sizes, extra, extra_bytes, entry));

    // With a descriptor, the writer did not know these three yet and left them 0. A CRC-32 that is there all
    // the same is refused even if it is right: whether it is there must not depend on anything but the flags,
    // or it could be put in unnoticed where checksums are looked through.
    const bool later = (entry.flags & kHasDescriptor) != 0;
    const auto same = [&](std::uint64_t local, std::uint64_t central) {
        return local == central || (later && local == 0);
    };
    if (crc != (later ? 0 : entry.crc)) return differs("CRC-32");
    if (!same(sizes.packed, entry.packed) || !same(sizes.size, entry.size)) return differs("size");
    if (!later) entry.local_crc = entry.header + 14;
    return {};
}

// The descriptor in [begin, end) repeats CRC-32 and sizes.
Result<void> read_descriptor(const Source& source, ZipEntry& entry, std::uint64_t begin, std::uint64_t end) {
    const auto bytes = end - begin;
    const auto malformed = [&](std::string_view what) {
        return malformed_at(source, begin, fmt::format("zip: {}: {}", shown(entry), what));
    };
    if (bytes != 12 && bytes != 16 && bytes != 20 && bytes != 24) {
        return malformed(fmt::format("{} in the place of its data descriptor", util::counted(bytes, "byte")));
    }
    const bool wide = bytes >= 20;
    Reader reader(source, begin, end);
    if (bytes == 16 || bytes == 24) {
        MODELSEAL_TRY_ASSIGN(const auto signature, reader.u32());
        if (signature != kDescriptorSignature) return malformed("no data descriptor after its data");
    }
    entry.descriptor_crc = reader.position();
    MODELSEAL_TRY_ASSIGN(const auto crc, reader.u32());
    const auto number = [&]() -> Result<std::uint64_t> {
        if (wide) return reader.u64();
        MODELSEAL_TRY_ASSIGN(const std::uint64_t narrow, reader.u32());
        return narrow;
    };
    MODELSEAL_TRY_ASSIGN(const auto packed, number());
    MODELSEAL_TRY_ASSIGN(const auto size, number());
    if (crc != entry.crc || packed != entry.packed || size != entry.size) {
        return malformed("its data descriptor differs from the directory");
    }
    return {};
}

Result<void> check_place(const Source& source, ZipEntry& entry, std::uint64_t next) {
    MODELSEAL_TRY(read_local(source, entry, next));
    if (entry.data > next || entry.packed > next - entry.data) {
        return malformed_at(source, entry.data,
                            fmt::format("zip: {}: its data of {} overlap the next record at offset {}",
                                        shown(entry), util::counted(entry.packed, "byte"), next));
    }
    const auto end = entry.data + entry.packed;
    if ((entry.flags & kHasDescriptor) != 0) return read_descriptor(source, entry, end, next);
    if (end == next) return {};
    return malformed_at(
        source, end,
        fmt::format("zip: {} after {}", util::counted(next - end, "unexplained byte"), shown(entry)));
}

// Inflates `packed` into exactly out.size() bytes.
bool inflate_exactly(std::span<const std::byte> packed, std::span<std::byte> out) {
    // zlib counts in 32 bits and wants a place to write to even where nothing is to be written.
    if (packed.size() > 0xFFFFFFFF || out.size() > 0xFFFFFFFE) return false;
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
    std::byte nothing{};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.empty() ? &nothing : out.data());
    stream.avail_out = static_cast<uInt>(out.empty() ? 1 : out.size());
    const auto status = inflate(&stream, Z_FINISH);
    const bool whole = status == Z_STREAM_END && stream.avail_in == 0 && stream.total_out == out.size();
    inflateEnd(&stream);
    return whole;
}

}  // namespace

Result<std::vector<ZipEntry>> read_zip(const Source& source, const Limits& limits) {
    MODELSEAL_TRY_ASSIGN(auto directory, read_zip_directory(source, limits));
    auto& entries = directory.entries;
    std::ranges::sort(entries, {}, &ZipEntry::header);
    const auto first = entries.empty() ? directory.begin : entries.front().header;
    if (first != 0) {
        return malformed_at(source, 0,
                            fmt::format("zip: {} before the first entry", util::counted(first, "byte")));
    }
    if (!entries.empty() && entries.back().header >= directory.begin) {
        return malformed_at(source, directory.begin,
                            fmt::format("zip: {} is at offset {}, after the start of the central directory",
                                        shown(entries.back()), entries.back().header));
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto next = i + 1 < entries.size() ? entries[i + 1].header : directory.begin;
        if (entries[i].header >= next) {
            return malformed_at(
                source, entries[i].header,
                fmt::format("zip: {} overlaps the next record at offset {}", shown(entries[i]), next));
        }
        MODELSEAL_TRY(check_place(source, entries[i], next));
    }
    return std::move(entries);
}

Result<std::vector<std::byte>> zip_contents(const Source& source, const ZipEntry& entry, std::uint64_t cap) {
    if (entry.encrypted()) {
        return unsupported_at(source, entry.header, fmt::format("zip: {} is encrypted", shown(entry)));
    }
    if (!entry.stored() && entry.method != Z_DEFLATED) {
        return unsupported_at(
            source, entry.header,
            fmt::format("zip: {} is compressed by method {}, which is not supported; 0 and 8 are", shown(entry),
                        entry.method));
    }
    if (cap != 0 && (entry.size > cap || entry.packed > cap)) {
        return malformed_at(source, entry.header,
                            fmt::format("zip: {} of {} exceeds the limit of {}", shown(entry),
                                        util::counted(std::max(entry.size, entry.packed), "byte"), cap));
    }
    // Deflate cannot gain more than a factor of 1032; a larger promise is a lie that would cost memory.
    if (entry.size / 1040 > entry.packed + 16) {
        return malformed_at(
            source, entry.header,
            fmt::format("zip: {} cannot decompress to {}", shown(entry), util::counted(entry.size, "byte")));
    }
    std::vector<std::byte> packed(static_cast<std::size_t>(entry.packed));
    MODELSEAL_TRY(source.read(entry.data, packed));
    if (entry.stored()) return packed;
    std::vector<std::byte> out(static_cast<std::size_t>(entry.size));
    if (!inflate_exactly(packed, out)) {
        return malformed_at(
            source, entry.data,
            fmt::format("zip: {} does not decompress to {}", shown(entry), util::counted(entry.size, "byte")));
    }
    return out;
}

}  // namespace modelseal::formats
