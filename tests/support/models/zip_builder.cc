
#include "tests/support/models/zip_builder.h"

#include <stdexcept>

#include <zlib.h>

namespace modelseal::test {
namespace {

std::uint32_t crc_of(const Bytes& data) {
    return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

Bytes deflated(const Bytes& data) {
    z_stream stream{};
    if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error("zlib");
    }
    Bytes out(deflateBound(&stream, static_cast<uLong>(data.size())));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

void put_bytes(Bytes& to, const Bytes& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

std::uint16_t flags_of(const ZipItem& item) {
    return static_cast<std::uint16_t>(0x0800 | (item.descriptor ? 8 : 0));
}

void put_local(ZipFile::Built& built, const ZipItem& item, const Bytes& packed) {
    auto& out = built.bytes;
    built.local.push_back(out.size());
    put(out, std::uint32_t{0x04034b50});
    put(out, std::uint16_t{0});
    put(out, flags_of(item));
    put(out, std::uint16_t(item.deflate ? 8 : 0));
    put(out, std::uint32_t{0});
    put(out, item.descriptor ? 0 : crc_of(item.data));
    put(out, static_cast<std::uint32_t>(item.descriptor ? 0 : packed.size()));
    put(out, static_cast<std::uint32_t>(item.descriptor ? 0 : item.data.size()));
    put(out, static_cast<std::uint16_t>(item.name.size()));
    put(out, static_cast<std::uint16_t>(item.local_extra.size()));
    put(out, std::string_view(item.name));
    put_bytes(out, item.local_extra);
    built.data.push_back(out.size());
    put_bytes(out, packed);
    built.descriptor.push_back(out.size());
    if (!item.descriptor) return;
    if (item.descriptor_signed) put(out, std::uint32_t{0x08074b50});
    put(out, crc_of(item.data));
    for (const auto size : {packed.size(), item.data.size()}) {
        if (item.descriptor_wide) {
            put(out, std::uint64_t{size});
        } else {
            put(out, static_cast<std::uint32_t>(size));
        }
    }
}

void put_central(ZipFile::Built& built, const ZipItem& item, std::size_t index) {
    auto& out = built.bytes;
    built.central.push_back(out.size());
    put(out, std::uint32_t{0x02014b50});
    put(out, std::uint32_t{0});
    put(out, flags_of(item));
    put(out, std::uint16_t(item.deflate ? 8 : 0));
    put(out, std::uint32_t{0});
    put(out, crc_of(item.data));
    put(out, static_cast<std::uint32_t>(built.descriptor[index] - built.data[index]));
    put(out, static_cast<std::uint32_t>(item.data.size()));
    put(out, static_cast<std::uint16_t>(item.name.size()));
    put(out, static_cast<std::uint16_t>(item.central_extra.size()));
    put(out, static_cast<std::uint16_t>(item.comment.size()));
    put(out, std::uint16_t{0});
    put(out, std::uint16_t{0});
    put(out, std::uint32_t{0});
    put(out, static_cast<std::uint32_t>(built.local[index]));
    put(out, std::string_view(item.name));
    put_bytes(out, item.central_extra);
    put(out, std::string_view(item.comment));
}

void put_end(ZipFile::Built& built, std::size_t directory, const ZipFile& file) {
    auto& out = built.bytes;
    const auto count = file.items.size();
    const auto size = out.size() - directory;
    built.end64 = out.size();
    if (file.zip64) {
        put(out, std::uint32_t{0x06064b50});
        put(out, std::uint64_t{44});
        put(out, std::uint16_t{0x031e});
        put(out, std::uint16_t{45});
        put(out, std::uint64_t{0});
        put(out, std::uint64_t{count});
        put(out, std::uint64_t{count});
        put(out, std::uint64_t{size});
        put(out, std::uint64_t{directory});
        built.locator = out.size();
        put(out, std::uint32_t{0x07064b50});
        put(out, std::uint32_t{0});
        put(out, std::uint64_t{built.end64});
        put(out, std::uint32_t{1});
    }
    built.end = out.size();
    put(out, std::uint32_t{0x06054b50});
    put(out, std::uint32_t{0});
    put(out, static_cast<std::uint16_t>(count));
    put(out, static_cast<std::uint16_t>(count));
    put(out, static_cast<std::uint32_t>(size));
    put(out, static_cast<std::uint32_t>(directory));
    put(out, static_cast<std::uint16_t>(file.comment.size()));
    put(out, std::string_view(file.comment));
}

}  // namespace

void ZipFile::Built::set(std::size_t at, std::uint64_t value, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) bytes.at(at + i) = static_cast<std::byte>(value >> (8 * i));
}

void ZipFile::Built::insert(std::size_t at, std::string_view text) {
    const auto extra = bytes_of(text);
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), extra.begin(), extra.end());
}

ZipFile::Built ZipFile::build() const {
    Built built;
    for (const auto& item : items) put_local(built, item, item.deflate ? deflated(item.data) : item.data);
    const auto directory = built.bytes.size();
    for (std::size_t i = 0; i < items.size(); ++i) put_central(built, items[i], i);
    put_end(built, directory, *this);
    return built;
}

ZipFile good_zip() {
    ZipFile file;
    file.items.push_back({.name = "a/one", .data = bytes_of("12345678")});
    file.items.push_back({.name = "a/two", .data = bytes_of(std::string(1000, 'x')), .deflate = true});
    file.items.push_back({.name = "a/three", .data = bytes_of("3"), .descriptor = false});
    return file;
}

Bytes zip64_extra(const std::vector<std::uint64_t>& values) {
    Bytes out;
    put(out, std::uint16_t{1});
    put(out, static_cast<std::uint16_t>(8 * values.size()));
    for (const auto value : values) put(out, value);
    return out;
}

Bytes bytes_of(std::string_view text) {
    Bytes out;
    put(out, text);
    return out;
}

}  // namespace modelseal::test
