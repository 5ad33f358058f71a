// Picture files of a given content, and data sets in each form, for tests that read images.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "io/png.h"
#include "tests/support/bytes.h"
#include "tests/support/png_builder.h"

namespace modelseal::test {

// Samples that differ from picture to picture.
inline io::Picture numbered_picture(std::uint32_t width, std::uint32_t height, std::uint32_t channels,
                                    std::uint32_t number) {
    io::Picture picture{.width = width, .height = height, .channels = channels};
    for (std::uint32_t i = 0; i < width * height * channels; ++i)
        picture.samples.push_back(static_cast<std::uint8_t>(number * 31 + i * 7));
    return picture;
}

inline std::string content_text(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string png_text(const io::Picture& picture) {
    return content_text(io::encode_png(picture));
}

// Labels, then one byte value for each of the 3072 samples, of which the planes get value, value + 1, value + 2.
inline std::string cifar_record(std::vector<int> labels, int value) {
    std::string record;
    for (const int label : labels) record += static_cast<char>(label);
    for (int plane = 0; plane < 3; ++plane) record += std::string(1024, static_cast<char>(value + plane));
    return record;
}

inline std::string idx_images(std::uint32_t count, std::uint32_t rows, std::uint32_t columns,
                              std::string_view samples) {
    Bytes bytes;
    for (const std::uint32_t number : {0x0803u, count, rows, columns}) put_big(bytes, number);
    put(bytes, samples);
    return content_text(bytes);
}

inline std::string idx_labels(std::uint32_t count, std::string_view labels) {
    Bytes bytes;
    for (const std::uint32_t number : {0x0801u, count}) put_big(bytes, number);
    put(bytes, labels);
    return content_text(bytes);
}

inline std::string gzip(const std::string& content) {
    z_stream stream{};
    if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("zlib");
    std::string packed(deflateBound(&stream, content.size()) + 32, '\0');
    auto input = content;
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

}  // namespace modelseal::test
