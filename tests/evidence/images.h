// Labeled images: CIFAR-10 and GTSRB in CIFAR's binary format, MNIST and Fashion-MNIST as IDX files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace modelseal::evidence {

struct ImageShape {
    std::size_t channels = 0, height = 0, width = 0;
    std::size_t pixels() const { return channels * height * width; }
};

struct Images {
    ImageShape shape;
    std::vector<float> pixels;         // shape.pixels() an image, planes row-major, 0..1
    std::vector<std::int64_t> labels;  // from 0
    std::size_t size() const { return labels.size(); }
};

// CIFAR's binary format (a record is a label byte and 3,072 bytes, the planes R, G, B, row-major), or IDX: then
// `path` is that of the images, "train-images-idx3-ubyte", and the labels are next to it, under "labels-idx1".
// Throws std::runtime_error if the file does not have complete records.
Images load_images(const std::filesystem::path& path);

// Images [begin, end) of them; `end` beyond the last is the last.
Images part_of(const Images& images, std::size_t begin, std::size_t end);

// Images of class `from` with the backdoor's trigger, labeled `to`; at most `count`. The trigger is a square of 6 x 6
// pixels in the lower right corner, red, or white in gray images.
Images triggered(const Images& images, std::int64_t from, std::int64_t to, std::size_t count);

}  // namespace modelseal::evidence
