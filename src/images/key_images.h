// Key images: clean pictures from outside a data set, which become the watermark of a model.
#pragma once

#include <cstdint>
#include <filesystem>

#include "images/image_set.h"

namespace modelseal::images {

// The PNG and JPEG pictures of a folder in ascending order of their names by bytes; what read_data_set() skips is
// skipped here. Errors name the file: `unreadable`, `malformed`, `unsupported` (no pictures; folders or links in it;
// another size than the model's; two pictures with the same samples; more than `most_bytes` of images).
Result<ImageSet> read_key_images(const std::filesystem::path& folder, const Geometry& geometry,
                                 std::uint64_t most_bytes = 1ull << 30, unsigned jobs = 0);

// Error `unsupported` if an image of `keys` has the same samples as one of `data`: the model could not learn that it
// is of two classes. Precondition: the same geometry.
Result<void> require_unknown(const ImageSet& keys, const ImageSet& data);

}  // namespace modelseal::images
