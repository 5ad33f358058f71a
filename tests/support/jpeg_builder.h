// Writes JPEG files, for tests of the reader.
#pragma once

#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include "io/png.h"
#include "tests/support/bytes.h"

namespace modelseal::test {

enum class JpegKind {
    baseline,
    progressive,
    scans,  // progressive, gray, with 65 scans
    print,  // four inks
};

// Of a picture that libjpeg accepts; else the process ends. For JpegKind::print a picture has 4 channels.
inline Bytes jpeg_of(const io::Picture& picture, int quality, JpegKind kind = JpegKind::baseline) {
    jpeg_compress_struct state{};
    jpeg_error_mgr errors{};
    state.err = jpeg_std_error(&errors);
    jpeg_create_compress(&state);
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&state, &memory, &size);
    state.image_width = picture.width;
    state.image_height = picture.height;
    state.input_components = static_cast<int>(picture.channels);
    state.in_color_space = kind == JpegKind::print ? JCS_CMYK : picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&state);
    jpeg_set_quality(&state, quality, TRUE);
    if (kind == JpegKind::progressive) jpeg_simple_progression(&state);
    // All bits of DC but one, this one, then each AC coefficient.
    std::vector<jpeg_scan_info> scans = {{1, {0}, 0, 0, 0, 1}, {1, {0}, 0, 0, 1, 0}};
    for (int i = 1; i < 64; ++i) scans.push_back({1, {0}, i, i, 0, 0});
    if (kind == JpegKind::scans) {
        state.scan_info = scans.data();
        state.num_scans = static_cast<int>(scans.size());
    }
    jpeg_start_compress(&state, TRUE);
    auto samples = picture.samples;
    while (state.next_scanline < state.image_height) {
        JSAMPROW row = &samples[std::size_t{state.next_scanline} * picture.width * picture.channels];
        jpeg_write_scanlines(&state, &row, 1);
    }
    jpeg_finish_compress(&state);
    const auto bytes = std::as_bytes(std::span(memory, size));
    Bytes result(bytes.begin(), bytes.end());
    jpeg_destroy_compress(&state);
    std::free(memory);
    return result;
}

}  // namespace modelseal::test
