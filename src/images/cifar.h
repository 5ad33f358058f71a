// CIFAR binary files (Krizhevsky 2009): records without a header.
//
//     CIFAR-10     label (1 byte)                        | 1024 red | 1024 green | 1024 blue
//     CIFAR-100    coarse label (1)   | fine label (1)   | the same
//
// Planes of 32 x 32, rows from the top. Others use the first form with labels of their own (GTSRB). The forms are
// distinguished by the size of the file alone.
#pragma once

#include <cstdint>

#include "images/image_set.h"
#include <modelseal/format.h>

namespace modelseal::images {

// Whether the size is a multiple of a record of either form, and not 0.
bool is_cifar(const Source& source);

// Appends the images of one file. Of CIFAR-100 the coarse label if out.classes is 20, the fine one if it is 100.
// Geometry and classes are those of `out`. Errors: `malformed` (a size that is not a multiple of a record, a label
// outside the classes), `unsupported` (a model that does not take 32 x 32 RGB; a size that fits both forms; CIFAR-100
// for another number of classes; in all more than `most_bytes` of images).
Result<void> append_cifar(const Source& source, std::uint64_t most_bytes, LabeledImages& out);

}  // namespace modelseal::images
