// A picture file as an image of a given size.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "images/image_set.h"
#include "io/folder.h"
#include <modelseal/format.h>

namespace modelseal::images {

// Decodes a PNG or JPEG file, recognized by content, into `out`, geometry.samples() bytes. Gray becomes RGB with
// three equal samples, as image loaders do; RGB becomes gray only if its samples are equal in every pixel, because
// weights for a mixture would be a guess. The size is never changed. Errors name the file: `malformed`,
// `unsupported` (another size or format, colors for a model that takes gray, more than 256 MiB), `unreadable`.
Result<void> read_picture(const Source& source, const Geometry& geometry, std::span<std::uint8_t> out);

// The folder entries that are not images: names that begin with a dot, "Thumbs.db", "desktop.ini", "__MACOSX", and
// files whose names end in .txt, .csv, .json, .xml, .md, .html, .yaml or .yml. `path` may have folders in front.
bool is_not_an_image(const io::Folder::Entry& entry);

// Whether `path` ends in .png, .jpg or .jpeg, in any case.
bool is_picture_name(std::string_view path);

// Error `unsupported` for links, pipes, devices and sockets.
Result<void> require_file(const io::Folder& folder, const io::Folder::Entry& entry);

// For a file of width x height pixels.
Result<void> require_size(const Geometry& geometry, std::uint64_t width, std::uint64_t height,
                          const std::string& name);

// Error `unsupported` if `count` images take more than `most_bytes`.
Result<void> require_room(const Geometry& geometry, std::uint64_t count, std::uint64_t most_bytes,
                          const std::string& name);

}  // namespace modelseal::images
