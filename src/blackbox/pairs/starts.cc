#include "blackbox/pairs/starts.h"

#include <algorithm>
#include <cmath>

namespace modelseal::blackbox {
namespace {

constexpr std::uint64_t kSparse = 10;  // one of so many
constexpr std::uint64_t kLeastGrid = 2, kMostGrid = 16;

// Random values at grid x grid points, and what lies between them, by bilinear interpolation.
void add_smooth_plane(std::size_t height, std::size_t width, unsigned levels, crypto::Keystream& stream,
                      std::vector<float>& picture) {
    const auto grid = kLeastGrid + stream.below(kMostGrid - kLeastGrid + 1);
    std::vector<double> points(grid * grid);
    for (auto& point : points) point = static_cast<double>(stream.below(levels));
    struct Between {
        std::size_t first, second;
        double share;  // of the second
    };
    const auto between = [&](std::size_t at, std::size_t extent) -> Between {
        const double position = extent > 1 ? static_cast<double>(at) * static_cast<double>(grid - 1) /
                                                 static_cast<double>(extent - 1)
                                           : 0;
        const auto first = std::min(static_cast<std::size_t>(position), static_cast<std::size_t>(grid - 2));
        return {first, first + 1, position - static_cast<double>(first)};
    };
    for (std::size_t y = 0; y < height; ++y) {
        const auto down = between(y, height);
        for (std::size_t x = 0; x < width; ++x) {
            const auto along = between(x, width);
            const auto row = [&](std::size_t of) {
                return std::lerp(points[of * grid + along.first], points[of * grid + along.second],
                                 along.share);
            };
            const double value = std::lerp(row(down.first), row(down.second), down.share);
            picture.push_back(static_cast<float>(std::clamp(std::round(value), 0.0, levels - 1.0)));
        }
    }
}

}  // namespace

std::size_t elements_of(std::span<const std::int64_t> shape) {
    std::size_t elements = 1;
    for (const auto extent : shape) elements *= static_cast<std::size_t>(extent);
    return elements;
}

std::vector<float> draw_start(StartKind kind, std::span<const std::int64_t> shape, unsigned levels,
                              crypto::Keystream& stream) {
    const auto elements = elements_of(shape);
    std::vector<float> picture;
    picture.reserve(elements);
    if (kind == StartKind::smooth) {
        const auto width = shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
        const auto height = shape.size() < 2 ? 1 : static_cast<std::size_t>(shape[shape.size() - 2]);
        while (picture.size() < elements) add_smooth_plane(height, width, levels, stream, picture);
        return picture;
    }
    // Of contrast: at least two levels.
    const auto low = kind == StartKind::contrast ? stream.below(levels - 1) : 0;
    const auto high = kind == StartKind::contrast ? low + 1 + stream.below(levels - 1 - low) : levels - 1;
    for (std::size_t i = 0; i < elements; ++i) {
        const bool ends = kind == StartKind::sparse || kind == StartKind::binary;
        const bool upper = ends && stream.below(kind == StartKind::sparse ? kSparse : 2) == 0;
        picture.push_back(static_cast<float>(ends ? (upper ? high : low) : low + stream.below(high - low + 1)));
    }
    return picture;
}

}  // namespace modelseal::blackbox
