// Data sets: labeled images from files, in one of the forms in which they are published.
//
//   folders    a folder with a folder for each class, with PNG or JPEG pictures in it at any depth. The classes are the
//              folders in ascending order of their names by bytes, as torchvision.datasets.ImageFolder has them; in
//              order of the numbers if all names are decimal numbers. There are as many as the model has classes.
//   CIFAR      a file, or a folder of files *.bin (cifar.h). In a folder, files whose names begin with "test" are left
//              out if there are others.
//   IDX        a file of images, or a folder of such files, each next to its labels, whose file has "labels" and "idx1"
//              in its name for "images" and "idx3" (idx.h). Of several pairs in a folder, the one that begins with
//              "train".
//
// Recognized by content. Hidden files, files that systems leave behind, and notes (is_not_an_image()) are skipped.
// Symbolic links are refused. The order is that of names and of records, so it is the same on every machine.
#pragma once

#include <cstdint>
#include <filesystem>

#include "images/image_set.h"

namespace modelseal::images {

struct DataSetOptions {
    Geometry geometry;                      // of the model
    std::size_t classes = 0;                // of the model
    std::uint64_t most_bytes = 4ull << 30;  // cap on the images in memory
    unsigned jobs = 0;                      // threads that decode pictures; 0: all processors
};

// Errors name the file: `unreadable`; `malformed`; `unsupported` (no data set; a class without images; another number
// of class folders than of classes; images of fewer than two classes; another size; more than most_bytes).
Result<LabeledImages> read_data_set(const std::filesystem::path& path, const DataSetOptions& options);

}  // namespace modelseal::images
