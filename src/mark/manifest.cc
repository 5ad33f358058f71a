#include "mark/manifest.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <zlib.h>

#include "crypto/signed_file.h"
#include "formats/bytes.h"
#include "mark/coding/bits.h"
#include "util/text.h"

namespace modelseal::mark {
namespace {

using formats::ByteReader;
using formats::ByteWriter;

constexpr std::uint8_t kHasParent = 1;
constexpr std::uint8_t kHasDirectory = 2;
constexpr std::uint8_t kWholeFolder = 4;
constexpr std::uint8_t kHasFileList = 8;
constexpr std::uint8_t kHasGrids = 16;
constexpr std::uint8_t kNotAllCells = 32;
constexpr std::uint8_t kFlagsOne = kHasParent | kHasDirectory | kWholeFolder | kHasFileList;
constexpr std::uint8_t kFlagsTwo = kFlagsOne | kHasGrids | kNotAllCells;
constexpr std::uint64_t kMostCells = std::uint64_t{1} << 27;       // their bitmap fits into a manifest
constexpr std::size_t kMaxDirectoryBytes = std::size_t{64} << 20;  // inflated

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The only code for what is used most; any other name is written out.
constexpr std::string_view kCodedNames[] = {"", "name", "version", "customer", "time"};

std::vector<std::byte> message(const SignedPart& part, std::size_t common) {
    return crypto::message_to_sign(part.version == Version::one ? "modelseal/1 seal" : "modelseal/2 seal",
                                   encode_signed(part, common));
}

std::vector<std::byte> to_bitmap(const std::vector<bool>& bits) {
    std::vector<std::byte> bytes((bits.size() + 7) / 8);
    for (std::size_t i = 0; i < bits.size(); ++i) {
        if (bits[i]) set_bit(bytes, i);
    }
    return bytes;
}

// Nothing if the bytes are not there.
std::optional<std::vector<bool>> read_bitmap(ByteReader& reader, std::uint64_t bits) {
    const auto bytes = reader.raw((bits + 7) / 8);
    if (!reader.ok()) return std::nullopt;
    std::vector<bool> out(bits);
    for (std::size_t i = 0; i < bits; ++i) out[i] = bit_at(bytes, i);
    return out;
}

// Grids are two bits each, the lower first.
std::vector<bool> bits_of(std::span<const Grid> grids) {
    std::vector<bool> bits;
    for (const auto grid : grids) {
        bits.push_back((static_cast<unsigned>(grid) & 1u) != 0);
        bits.push_back((static_cast<unsigned>(grid) & 2u) != 0);
    }
    return bits;
}

std::vector<Grid> grids_of_bits(const std::vector<bool>& bits) {
    std::vector<Grid> grids(bits.size() / 2);
    for (std::size_t i = 0; i < grids.size(); ++i)
        grids[i] = static_cast<Grid>((bits[2 * i] ? 1 : 0) | (bits[2 * i + 1] ? 2 : 0));
    return grids;
}

// What only version 2 has.
bool read_use(ByteReader& reader, std::uint8_t flags, SignedPart& part) {
    if ((flags & kHasGrids) != 0) {
        const auto bits = read_bitmap(reader, 2 * std::uint64_t{part.tensors});
        if (!bits) return false;
        part.use.grids = grids_of_bits(*bits);
    }
    if ((flags & kNotAllCells) != 0) {
        const auto cells = reader.number<std::uint32_t>();
        if (!reader.ok() || cells > kMostCells) return false;
        auto carrying = read_bitmap(reader, cells);
        if (!carrying) return false;
        part.use.carrying = std::move(*carrying);
    }
    return true;
}

}  // namespace

CheckValue check_value(const crypto::Digest& digest) {
    return ByteReader(digest).number<CheckValue>();
}

CheckValue check_value(const crypto::Digest& block, Version version) {
    ByteReader reader(block);
    return read_check(reader, version);
}

void write_check(ByteWriter& writer, CheckValue value, Version version) {
    for (std::size_t i = 0; i < check_bytes(version); ++i)
        writer.number(static_cast<std::uint8_t>(value >> (8 * i)));
}

CheckValue read_check(ByteReader& reader, Version version) {
    CheckValue value = 0;
    for (std::size_t i = 0; i < check_bytes(version); ++i)
        value |= CheckValue{reader.number<std::uint8_t>()} << (8 * i);
    return value;
}

VendorHash vendor_hash(const PublicKey& vendor) {
    const auto digest = crypto::Sha256().update(vendor.bytes()).finish();
    VendorHash out;
    std::copy_n(digest.begin(), out.size(), out.begin());
    return out;
}

Result<std::vector<std::byte>> encode_stamp(const Stamp& stamp) {
    const auto wrong = [](std::string what) { return Error{ErrorKind::usage, "stamp: " + what, {}}; };
    ByteWriter writer;
    std::set<std::string_view> seen;
    for (const auto& [name, value] : stamp) {
        if (name.empty() || name.size() > 255) return wrong("a name must have 1 to 255 bytes");
        if (value.size() > kMaxStampBytes)
            return wrong(fmt::format("the value of '{}' is longer than {} bytes", util::printable(name),
                                     kMaxStampBytes));
        if (!seen.insert(name).second) return wrong(fmt::format("'{}' is given twice", util::printable(name)));
        const auto coded = std::ranges::find(kCodedNames, name);
        const auto code = coded == std::end(kCodedNames) ? 0 : coded - std::begin(kCodedNames);
        writer.number(static_cast<std::uint8_t>(code));
        if (code == 0) writer.number(static_cast<std::uint8_t>(name.size())).raw(bytes_of(name));
        writer.number(static_cast<std::uint16_t>(value.size())).raw(bytes_of(value));
    }
    if (writer.size() > kMaxStampBytes)
        return wrong(fmt::format("{} bytes, at most {} are supported", writer.size(), kMaxStampBytes));
    return writer.take();
}

std::optional<Stamp> decode_stamp(std::span<const std::byte> bytes) {
    ByteReader reader(bytes);
    Stamp stamp;
    while (reader.ok() && reader.left() > 0) {
        const auto code = reader.number<std::uint8_t>();
        if (code >= std::size(kCodedNames)) return std::nullopt;
        const auto name =
            code == 0 ? text_of(reader.raw(reader.number<std::uint8_t>())) : std::string(kCodedNames[code]);
        auto value = text_of(reader.raw(reader.number<std::uint16_t>()));
        stamp.emplace_back(name, std::move(value));
    }
    if (!reader.ok()) return std::nullopt;
    return stamp;
}

std::vector<std::byte> encode_signed(const SignedPart& part, std::size_t common) {
    const auto flags = (part.parent ? kHasParent : 0) | (part.directory.empty() ? 0 : kHasDirectory) |
                       (part.rule == model::FolderRule::everything ? kWholeFolder : 0) |
                       (part.file_list.empty() ? 0 : kHasFileList) | (part.use.grids.empty() ? 0 : kHasGrids) |
                       (part.use.carrying.empty() ? 0 : kNotAllCells);
    const auto stamp = encode_stamp(part.stamp).value();
    ByteWriter rest;
    rest.number(static_cast<std::uint8_t>(part.version)).number(static_cast<std::uint8_t>(flags));
    rest.number(static_cast<std::uint8_t>(part.density.rate_step))
        .number(static_cast<std::uint8_t>(part.density.carrier_class));
    rest.number(part.tensors).number(static_cast<std::uint32_t>(part.file_checks.size()));
    rest.number(static_cast<std::uint16_t>(stamp.size())).raw(stamp);
    rest.raw(part.frame).raw(part.weights).raw(part.vendor);
    if (part.parent) rest.raw(*part.parent);
    rest.raw(to_bitmap(part.in_common_table));
    if (!part.use.grids.empty()) rest.raw(to_bitmap(bits_of(part.use.grids)));
    if (!part.use.carrying.empty()) {
        rest.number(static_cast<std::uint32_t>(part.use.carrying.size())).raw(to_bitmap(part.use.carrying));
    }
    if (!part.directory.empty())
        rest.number(static_cast<std::uint32_t>(part.directory.size())).raw(part.directory);
    if (!part.file_list.empty())
        rest.number(static_cast<std::uint32_t>(part.file_list.size())).raw(part.file_list);
    for (const auto value : part.file_checks) rest.number(value);
    const auto length = 4 + rest.size() + sizeof(SignatureBytes) + common * check_bytes(part.version);
    return ByteWriter().number(static_cast<std::uint32_t>(length)).raw(rest.take()).take();
}

std::vector<std::byte> encode(const Manifest& manifest) {
    ByteWriter writer;
    writer.raw(encode_signed(manifest.signed_part, manifest.common.size())).raw(manifest.signature);
    for (const auto value : manifest.common) write_check(writer, value, manifest.signed_part.version);
    return writer.take();
}

std::optional<Manifest> decode(std::span<const std::byte> bytes) {
    ByteReader reader(bytes);
    const auto length = reader.number<std::uint32_t>();
    if (!reader.ok() || length < 4 || length > bytes.size()) return std::nullopt;
    reader = ByteReader(bytes.first(length));
    reader.raw(4);
    Manifest manifest;
    auto& part = manifest.signed_part;
    const auto version = reader.number<std::uint8_t>();
    const auto flags = reader.number<std::uint8_t>();
    if (version < 1 || version > 2 || (flags & ~(version == 1 ? kFlagsOne : kFlagsTwo)) != 0)
        return std::nullopt;
    part.version = static_cast<Version>(version);
    part.density.rate_step = reader.number<std::uint8_t>();
    part.density.carrier_class = reader.number<std::uint8_t>();
    part.tensors = reader.number<std::uint32_t>();
    const auto files = reader.number<std::uint32_t>();
    auto stamp = decode_stamp(reader.raw(reader.number<std::uint16_t>()));
    if (!stamp) return std::nullopt;
    part.stamp = std::move(*stamp);
    reader.fill(part.frame);
    reader.fill(part.weights);
    reader.fill(part.vendor);
    if ((flags & kHasParent) != 0) reader.fill(part.parent.emplace());
    auto common = read_bitmap(reader, part.tensors);
    if (!common) return std::nullopt;
    part.in_common_table = std::move(*common);
    if (!read_use(reader, flags, part)) return std::nullopt;
    if ((flags & kHasDirectory) != 0) {
        const auto directory = reader.raw(reader.number<std::uint32_t>());
        part.directory.assign(directory.begin(), directory.end());
    }
    if ((flags & kHasFileList) != 0) {
        const auto list = reader.raw(reader.number<std::uint32_t>());
        part.file_list.assign(list.begin(), list.end());
    }
    if ((flags & kWholeFolder) != 0) part.rule = model::FolderRule::everything;
    if (!reader.ok() || files > reader.left() / sizeof(CheckValue)) return std::nullopt;
    part.file_checks.resize(files);
    for (auto& value : part.file_checks) value = reader.number<CheckValue>();
    reader.fill(manifest.signature);
    if (!reader.ok() || reader.left() % check_bytes(part.version) != 0) return std::nullopt;
    manifest.common.resize(reader.left() / check_bytes(part.version));
    for (auto& value : manifest.common) value = read_check(reader, part.version);
    // One spelling only: what does not come out the same was not written by a sealer.
    if (!encode_stamp(part.stamp).ok() || !std::ranges::equal(encode(manifest), bytes.first(length)))
        return std::nullopt;
    return manifest;
}

Result<SignatureBytes> sign(const SigningKey& key, const SignedPart& part, std::size_t common) {
    return key.sign(message(part, common));
}

bool verify(const PublicKey& key, const Manifest& manifest) {
    return key.verify(message(manifest.signed_part, manifest.common.size()), manifest.signature);
}

crypto::Digest root(const Manifest& manifest) {
    crypto::Sha256 hash;
    return hash.update(message(manifest.signed_part, manifest.common.size())).finish();
}

namespace {

// u32 length of the plain bytes | the bytes, deflated. Nothing for more than kMaxDirectoryBytes.
std::vector<std::byte> pack(const std::vector<std::byte>& plain) {
    if (plain.size() > kMaxDirectoryBytes) return {};
    auto size = compressBound(plain.size());
    std::vector<std::byte> packed(size);
    if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
                  plain.size(), Z_BEST_COMPRESSION) != Z_OK) {
        return {};
    }
    packed.resize(size);
    return ByteWriter().number(static_cast<std::uint32_t>(plain.size())).raw(packed).take();
}

std::optional<std::vector<std::byte>> unpack(std::span<const std::byte> bytes) {
    ByteReader outer(bytes);
    const auto plain_size = outer.number<std::uint32_t>();
    if (!outer.ok() || plain_size > kMaxDirectoryBytes) return std::nullopt;
    const auto packed = outer.raw(outer.left());
    std::vector<std::byte> plain(plain_size);
    uLongf size = plain.size();
    if (uncompress(reinterpret_cast<Bytef*>(plain.data()), &size, reinterpret_cast<const Bytef*>(packed.data()),
                   packed.size()) != Z_OK ||
        size != plain.size()) {
        return std::nullopt;
    }
    return plain;
}

}  // namespace

std::vector<std::byte> encode_directory(std::span<const Tensor> tensors) {
    ByteWriter writer;
    for (const auto& tensor : tensors) {
        writer.number(static_cast<std::uint8_t>(tensor.dtype))
            .number(static_cast<std::uint8_t>(tensor.shape.size()));
        for (const auto extent : tensor.shape) writer.number(extent);
        writer.number(static_cast<std::uint32_t>(tensor.name.size())).raw(bytes_of(tensor.name));
    }
    return pack(writer.take());
}

std::optional<std::vector<DirectoryEntry>> decode_directory(std::span<const std::byte> bytes,
                                                            std::size_t tensors) {
    const auto plain = unpack(bytes);
    if (!plain) return std::nullopt;
    ByteReader reader(*plain);
    std::vector<DirectoryEntry> entries;
    while (reader.ok() && reader.left() > 0) {
        if (entries.size() == tensors) return std::nullopt;
        DirectoryEntry entry;
        entry.dtype = static_cast<DType>(reader.number<std::uint8_t>());
        if (!is_dtype(static_cast<std::uint8_t>(entry.dtype))) return std::nullopt;
        entry.shape.resize(reader.number<std::uint8_t>());
        for (auto& extent : entry.shape) extent = reader.number<std::uint64_t>();
        entry.name = text_of(reader.raw(reader.number<std::uint32_t>()));
        entries.push_back(std::move(entry));
    }
    if (!reader.ok() || entries.size() != tensors) return std::nullopt;
    return entries;
}

std::vector<std::byte> encode_file_list(std::span<const std::string> paths) {
    ByteWriter writer;
    for (const auto& path : paths) {
        writer.number(static_cast<std::uint32_t>(path.size())).raw(bytes_of(path));
    }
    return pack(writer.take());
}

std::optional<std::vector<std::string>> decode_file_list(std::span<const std::byte> bytes, std::size_t files) {
    const auto plain = unpack(bytes);
    if (!plain) return std::nullopt;
    ByteReader reader(*plain);
    std::vector<std::string> paths;
    while (reader.ok() && reader.left() > 0) {
        if (paths.size() == files) return std::nullopt;
        paths.push_back(text_of(reader.raw(reader.number<std::uint32_t>())));
    }
    if (!reader.ok() || paths.size() != files) return std::nullopt;
    if (std::set<std::string_view>(paths.begin(), paths.end()).size() != files) return std::nullopt;
    return paths;
}

}  // namespace modelseal::mark
