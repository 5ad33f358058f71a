// Pictures as JPEG (ISO/IEC 10918-1, JFIF), by libjpeg-turbo, in memory.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "io/png.h"

namespace modelseal::io {

bool is_jpeg(std::span<const std::byte> bytes);  // by its first marker alone

// Gray or RGB, as the file is; baseline and progressive, 8 bits a sample. Decoded as image loaders do by default:
// the accurate integer transform, smooth chroma, neither profile nor orientation applied. `name` is for messages.
// Errors: `malformed` (not JPEG, cut, corrupt; libjpeg would fill in gray), `unsupported` (more than kMostSamples,
// CMYK, more than 64 scans).
Result<Picture> decode_jpeg(std::span<const std::byte> bytes, const std::string& name);

}  // namespace modelseal::io
