#include "tests/evidence/images.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace modelseal::evidence {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr ImageShape kCifar{3, 32, 32};
constexpr std::size_t kTrigger = 6;
constexpr std::size_t kImagesHeader = 16, kLabelsHeader = 8;  // of IDX: the magic number, then an extent each
constexpr std::uint32_t kImagesMagic = 0x803, kLabelsMagic = 0x801;

Bytes read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path.string() + ": cannot be read");
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    return {bytes.begin(), bytes.end()};
}

// Big-endian, as all numbers of IDX.
std::uint32_t number(const Bytes& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes[at + i];
    return value;
}

void add_image(Images& images, Bytes::const_iterator begin, std::int64_t label) {
    images.labels.push_back(label);
    std::transform(begin, begin + static_cast<std::ptrdiff_t>(images.shape.pixels()),
                   std::back_inserter(images.pixels),
                   [](unsigned char level) { return static_cast<float>(level) / 255.0f; });
}

Images cifar(const Bytes& bytes, const std::filesystem::path& path) {
    const auto record = 1 + kCifar.pixels();
    if (bytes.empty() || bytes.size() % record != 0) {
        throw std::runtime_error(path.string() + ": not a file of CIFAR records, nor images as IDX");
    }
    Images images{.shape = kCifar, .pixels = {}, .labels = {}};
    images.pixels.reserve(bytes.size());
    for (auto at = bytes.begin(); at != bytes.end(); at += static_cast<std::ptrdiff_t>(record)) {
        add_image(images, at + 1, *at);
    }
    return images;
}

bool is_idx(const Bytes& bytes) {
    return bytes.size() > kImagesHeader && number(bytes, 0) == kImagesMagic &&
           bytes.size() - kImagesHeader ==
               std::uint64_t{number(bytes, 4)} * number(bytes, 8) * number(bytes, 12);
}

std::filesystem::path labels_next_to(const std::filesystem::path& path) {
    auto name = path.filename().string();
    const auto at = name.find("images-idx3");
    if (at == name.npos) throw std::runtime_error(path.string() + ": the name has no 'images-idx3'");
    return path.parent_path() / name.replace(at, 11, "labels-idx1");
}

Images idx(const Bytes& bytes, const std::filesystem::path& path) {
    const auto labels = read(labels_next_to(path));
    const std::size_t count = number(bytes, 4);
    if (labels.size() != kLabelsHeader + count || number(labels, 0) != kLabelsMagic ||
        number(labels, 4) != count) {
        throw std::runtime_error(labels_next_to(path).string() + ": not as many labels as images");
    }
    Images images{.shape = {1, number(bytes, 8), number(bytes, 12)}, .pixels = {}, .labels = {}};
    images.pixels.reserve(count * images.shape.pixels());
    for (std::size_t i = 0; i < count; ++i) {
        add_image(images,
                  bytes.begin() + static_cast<std::ptrdiff_t>(kImagesHeader + i * images.shape.pixels()),
                  labels[kLabelsHeader + i]);
    }
    return images;
}

void put_trigger(const ImageShape& shape, float* image) {
    for (std::size_t plane = 0; plane < shape.channels; ++plane) {
        for (std::size_t y = shape.height - kTrigger; y < shape.height; ++y) {
            auto* row = image + (plane * shape.height + y) * shape.width;
            std::fill(row + shape.width - kTrigger, row + shape.width, plane == 0 ? 1.0f : 0.0f);
        }
    }
}

void append(Images& to, const Images& from, std::size_t begin, std::size_t end) {
    const auto pixels = from.shape.pixels();
    to.labels.insert(to.labels.end(), from.labels.begin() + static_cast<std::ptrdiff_t>(begin),
                     from.labels.begin() + static_cast<std::ptrdiff_t>(end));
    to.pixels.insert(to.pixels.end(), from.pixels.begin() + static_cast<std::ptrdiff_t>(begin * pixels),
                     from.pixels.begin() + static_cast<std::ptrdiff_t>(end * pixels));
}

}  // namespace

Images load_images(const std::filesystem::path& path) {
    const auto bytes = read(path);
    return is_idx(bytes) ? idx(bytes, path) : cifar(bytes, path);
}

Images part_of(const Images& images, std::size_t begin, std::size_t end) {
    Images part{.shape = images.shape, .pixels = {}, .labels = {}};
    end = std::min(end, images.size());
    append(part, images, std::min(begin, end), end);
    return part;
}

Images triggered(const Images& images, std::int64_t from, std::int64_t to, std::size_t count) {
    if (std::min(images.shape.height, images.shape.width) < kTrigger) {
        throw std::runtime_error("the images are smaller than the trigger");
    }
    Images marked{.shape = images.shape, .pixels = {}, .labels = {}};
    for (std::size_t i = 0; i < images.size() && marked.size() < count; ++i) {
        if (images.labels[i] != from) continue;
        append(marked, images, i, i + 1);
        marked.labels.back() = to;
        put_trigger(images.shape, marked.pixels.data() + (marked.size() - 1) * images.shape.pixels());
    }
    return marked;
}

}  // namespace modelseal::evidence
