// Pictures as PNG (ISO/IEC 15948), in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace modelseal::io {

// 8 bits a sample, rows from the top, samples of a pixel side by side.
struct Picture {
    std::uint32_t width = 0, height = 0;
    std::uint32_t channels = 3;  // 1: gray, 3: red, green, blue
    std::vector<std::uint8_t> samples;
};

// Lossless. Precondition: samples.size() == width * height * channels > 0; throws std::runtime_error otherwise.
std::vector<std::byte> encode_png(const Picture& picture);

}  // namespace modelseal::io
