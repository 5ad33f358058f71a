// Pictures as PNG (ISO/IEC 15948), in memory.
//
// Both directions are exact: samples are copied, never converted to another gamma, color space or profile.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <modelseal/result.h>

namespace modelseal::io {

// 8 bits a sample, rows from the top, samples of a pixel side by side.
struct Picture {
    std::uint32_t width = 0, height = 0;
    std::uint32_t channels = 3;  // 1: gray, 3: red, green, blue
    std::vector<std::uint8_t> samples;
};

// Cap on width * height * channels of a picture that is decoded, with alpha as a channel; compared before memory
// is taken.
inline constexpr std::uint64_t kMostSamples = 1u << 26;

// Lossless. Precondition: samples.size() == width * height * channels > 0; throws std::runtime_error otherwise.
std::vector<std::byte> encode_png(const Picture& picture);

bool is_png(std::span<const std::byte> bytes);  // by its signature alone

// The samples of gray and RGB pictures of 8 bits as they are stored. Palettes become RGB, gray of 1, 2 and 4
// bits is scaled to 8 (bit patterns repeated), 16 bits are rounded to 8. Alpha, also that of a tRNS chunk, is
// dropped if every pixel is opaque. Ancillary chunks (text, gamma, profiles) are skipped unread, and so are bytes
// after the end of the picture. `name` is for messages. Errors: `malformed` (not PNG, cut, corrupt),
// `unsupported` (more than kMostSamples, or a pixel that is not opaque).
Result<Picture> decode_png(std::span<const std::byte> bytes, const std::string& name);

}  // namespace modelseal::io
