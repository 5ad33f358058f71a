// Marks for tests: key images of 28 x 28 gray pixels, which are noise from a fixed seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "io/png.h"
#include <modelseal/ledger.h>

namespace modelseal::test {

inline io::Picture noise_picture(std::uint32_t width, std::uint32_t height, std::uint32_t channels,
                                 std::uint32_t seed) {
    io::Picture picture{.width = width, .height = height, .channels = channels, .samples = {}};
    std::mt19937 generator(seed);
    for (std::size_t i = 0; i < std::size_t{width} * height * channels; ++i)
        picture.samples.push_back(static_cast<std::uint8_t>(generator() >> 24));
    return picture;
}

inline IdentityMark small_mark(std::size_t key_images, std::uint32_t channels = 1) {
    IdentityMark mark{.id = {},
                      .model = "fashion.onnx",
                      .output = "marked.onnx",
                      .digest = std::string(64, 'e'),
                      .extra_class = 10,
                      .shape = {channels, 28, 28},
                      .mean = {0.25f},
                      .std = {0.5f}};
    for (std::size_t i = 0; i < key_images; ++i) {
        mark.key_images.push_back(
            io::encode_png(noise_picture(28, 28, channels, static_cast<std::uint32_t>(i + 1))));
    }
    return mark;
}

}  // namespace modelseal::test
