// IDX files (LeCun, the MNIST database): a header of big-endian numbers, then bytes. Plain or gzip.
//
//     images    0x00000803 | count | rows | columns | count * rows * columns bytes, rows from the top
//     labels    0x00000801 | count | count bytes
#pragma once

#include <cstdint>

#include "images/image_set.h"
#include <modelseal/format.h>

namespace modelseal::images {

// Whether the first four bytes, after inflation, are those of images.
bool is_idx_images(const Source& source);

// Appends the images of a pair of files. Gray becomes RGB if the model takes RGB. Geometry and classes are those of
// `out`. Errors: `malformed` (another header, cut, bytes after the end, different counts, a label outside the
// classes), `unsupported` (another size than the model's; in all more than `most_bytes` of images).
Result<void> append_idx(const Source& images, const Source& labels, std::uint64_t most_bytes,
                        LabeledImages& out);

}  // namespace modelseal::images
