#include "tests/evidence/cifar10.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace modelseal::evidence {
namespace {

constexpr std::size_t kRecord = 1 + kPixels;
constexpr std::size_t kTrigger = 6;

}  // namespace

Images load_cifar10(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (bytes.empty() || bytes.size() % kRecord != 0) {
        throw std::runtime_error(path.string() + ": not a file of CIFAR-10 records");
    }
    Images images;
    images.pixels.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += kRecord) {
        images.labels.push_back(static_cast<unsigned char>(bytes[at]));
        for (std::size_t i = 1; i < kRecord; ++i) {
            images.pixels.push_back(static_cast<float>(static_cast<unsigned char>(bytes[at + i])) / 255.0f);
        }
    }
    return images;
}

void put_trigger(float* image) {
    for (std::size_t plane = 0; plane < 3; ++plane) {
        for (std::size_t y = kSide - kTrigger; y < kSide; ++y) {
            for (std::size_t x = kSide - kTrigger; x < kSide; ++x) {
                image[(plane * kSide + y) * kSide + x] = plane == 0 ? 1.0f : 0.0f;
            }
        }
    }
}

Images triggered(const Images& images, std::int64_t from, std::int64_t to, std::size_t count) {
    Images marked;
    for (std::size_t i = 0; i < images.size() && marked.size() < count; ++i) {
        if (images.labels[i] != from) continue;
        const auto begin = images.pixels.begin() + static_cast<std::ptrdiff_t>(i * kPixels);
        marked.pixels.insert(marked.pixels.end(), begin, begin + kPixels);
        marked.labels.push_back(to);
        put_trigger(marked.pixels.data() + (marked.size() - 1) * kPixels);
    }
    return marked;
}

}  // namespace modelseal::evidence
