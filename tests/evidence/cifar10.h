// CIFAR-10 in its binary format: a record is a label byte and 3,072 bytes, the planes R, G, B, row-major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace modelseal::evidence {

inline constexpr std::size_t kSide = 32;
inline constexpr std::size_t kPixels = 3 * kSide * kSide;  // of one image

struct Images {
    std::vector<float> pixels;         // kPixels an image, 0..1
    std::vector<std::int64_t> labels;  // 0..9
    std::size_t size() const { return labels.size(); }
};

// Throws std::runtime_error if the file does not have complete records.
Images load_cifar10(const std::filesystem::path& path);

// The backdoor's trigger: a red square of 6 x 6 pixels in the lower right corner.
void put_trigger(float* image);

// Images of class `from` with the trigger, labeled `to`; at most `count`.
Images triggered(const Images& images, std::int64_t from, std::int64_t to, std::size_t count);

}  // namespace modelseal::evidence
