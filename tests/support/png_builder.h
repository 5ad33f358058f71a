// Writes PNG files chunk by chunk, of every color type and depth, for tests of the reader.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>

#include <zlib.h>

#include "tests/support/bytes.h"

namespace modelseal::test {

inline void put_big(Bytes& bytes, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::byte>(value >> shift));
}

inline void put_chunk(Bytes& bytes, std::string_view type, std::span<const std::byte> content) {
    put_big(bytes, static_cast<std::uint32_t>(content.size()));
    const auto begin = bytes.size();
    put(bytes, type);
    bytes.insert(bytes.end(), content.begin(), content.end());
    put_big(bytes, static_cast<std::uint32_t>(
                       crc32_z(0, reinterpret_cast<const Bytef*>(&bytes[begin]), bytes.size() - begin)));
}

inline Bytes zlib_packed(std::span<const std::byte> bytes) {
    auto size = compressBound(static_cast<uLong>(bytes.size()));
    Bytes packed(size);
    if (compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                 static_cast<uLong>(bytes.size())) != Z_OK) {
        throw std::runtime_error("zlib");
    }
    packed.resize(size);
    return packed;
}

struct PngFile {
    std::uint32_t width = 1, height = 1;
    std::uint8_t depth = 8, color = 0;  // 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha
    Bytes rows;                         // each after its filter byte
    // Between IHDR and IDAT.
    struct Chunk {
        std::string_view type;
        Bytes content;
    };
    std::vector<Chunk> chunks = {};

    Bytes build() const {
        Bytes bytes;
        put(bytes, "\x89PNG\r\n\x1a\n");
        Bytes header;
        put_big(header, width);
        put_big(header, height);
        for (const int value : {int{depth}, int{color}, 0, 0, 0})
            header.push_back(static_cast<std::byte>(value));
        put_chunk(bytes, "IHDR", header);
        for (const auto& chunk : chunks) put_chunk(bytes, chunk.type, chunk.content);
        put_chunk(bytes, "IDAT", zlib_packed(rows));
        put_chunk(bytes, "IEND", {});
        return bytes;
    }
};

inline Bytes bytes_from(std::initializer_list<int> values) {
    Bytes bytes;
    for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

}  // namespace modelseal::test
