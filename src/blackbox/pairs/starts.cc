#include "blackbox/pairs/starts.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace modelseal::blackbox {

std::size_t elements_of(std::span<const std::int64_t> shape) {
    std::size_t elements = 1;
    for (const auto extent : shape) elements *= static_cast<std::size_t>(extent);
    return elements;
}

namespace {

constexpr std::uint64_t kSparse = 10;  // one of so many
constexpr std::uint64_t kLeastGrid = 2, kMostGrid = 16;
constexpr double kShortestWave = 2;  // elements: more would be noise
constexpr unsigned kMostPatches = 1000;

constexpr auto kEdged =
    static_cast<std::size_t>(StartKind::uniform);  // kinds with edges and areas: the first ones
constexpr std::int64_t kMostColors = 4;

// The last two dimensions, and how many planes of them there are.
struct Planes {
    std::size_t width, height, count;

    double side() const { return static_cast<double>(std::max(width, height)); }
};
Planes planes_of(std::span<const std::int64_t> shape) {
    const auto width = shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
    const auto height = shape.size() < 2 ? 1 : static_cast<std::size_t>(shape[shape.size() - 2]);
    return {width, height, elements_of(shape) / (width * height)};
}

// Height, width, and then the few colors of each element, as networks from TensorFlow take them.
bool has_colors_last(std::span<const std::int64_t> shape) {
    return shape.size() >= 3 && shape.back() <= kMostColors &&
           std::min(shape[shape.size() - 2], shape[shape.size() - 3]) > kMostColors;
}

// From all planes of a picture, one after the other, to all colors of each element.
std::vector<float> with_colors_last(std::span<const float> picture, std::size_t colors) {
    const auto plane = picture.size() / colors;
    std::vector<float> mixed;
    mixed.reserve(picture.size());
    for (std::size_t at = 0; at < plane; ++at) {
        for (std::size_t color = 0; color < colors; ++color) mixed.push_back(picture[color * plane + at]);
    }
    return mixed;
}

float level_of(double value, unsigned levels) {
    return static_cast<float>(std::clamp(std::round(value), 0.0, levels - 1.0));
}

// Lengths are as likely in each octave up to the longer side. What would leave the range is cut off at its ends.
void add_wave(const Planes& planes, bool stripes, unsigned levels, crypto::Keystream& stream,
              std::vector<float>& picture) {
    const double angle = 2 * std::numbers::pi * stream.uniform(),
                 phase = 2 * std::numbers::pi * stream.uniform();
    const double longest = std::max(2 * kShortestWave, planes.side());
    const double length = kShortestWave * std::pow(longest / kShortestWave, stream.uniform());
    const double mean = stream.uniform(), size = stream.uniform();
    const double along_x = 2 * std::numbers::pi * std::cos(angle) / length,
                 along_y = 2 * std::numbers::pi * std::sin(angle) / length;
    for (std::size_t y = 0; y < planes.height; ++y) {
        for (std::size_t x = 0; x < planes.width; ++x) {
            const double wave =
                std::sin(along_x * static_cast<double>(x) + along_y * static_cast<double>(y) + phase);
            const double shape = !stripes ? wave : wave > 0 ? 1 : -1;
            picture.push_back(level_of((mean + size * shape) * (levels - 1.0), levels));
        }
    }
}

// A part of a line of elements: those not further than `radius` from `middle`.
struct Reach {
    double middle;
    std::size_t begin, end;
};
Reach draw_reach(std::size_t extent, double radius, crypto::Keystream& stream) {
    const double middle = stream.uniform() * (static_cast<double>(extent) + 2 * radius) - radius;
    const auto within = [&](double at) {
        return static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(extent)));
    };
    return {middle, within(std::ceil(middle - radius)), within(std::floor(middle + radius) + 1)};
}

// The patches of all planes lie at the same places; what none covers is of one color, too.
std::vector<float> draw_patches(const Planes& planes, unsigned levels, crypto::Keystream& stream) {
    const auto plane = planes.width * planes.height;
    std::vector<float> picture(plane * planes.count), color(planes.count);
    std::vector<bool> covered(plane);
    auto left = plane;
    const auto paint = [&](std::size_t at) {
        if (covered[at]) return;
        covered[at] = true;
        --left;
        for (std::size_t i = 0; i < planes.count; ++i) picture[i * plane + at] = color[i];
    };
    const auto draw_color = [&] {
        for (auto& one : color) one = static_cast<float>(stream.below(levels));
    };
    for (unsigned patch = 0; patch < kMostPatches && left > 0; ++patch) {
        const bool square = stream.below(2) == 0;
        const double radius = std::lerp(1.0, std::max(1.0, planes.side() / 2), stream.uniform());
        const auto across = draw_reach(planes.width, radius, stream),
                   down = draw_reach(planes.height, radius, stream);
        draw_color();
        for (std::size_t y = down.begin; y < down.end; ++y) {
            for (std::size_t x = across.begin; x < across.end; ++x) {
                const double dx = static_cast<double>(x) - across.middle,
                             dy = static_cast<double>(y) - down.middle;
                if (square || dx * dx + dy * dy <= radius * radius) paint(y * planes.width + x);
            }
        }
    }
    draw_color();
    for (std::size_t at = 0; at < plane; ++at) paint(at);
    return picture;
}

// Random values at grid x grid points, and what lies between them, by bilinear interpolation.
void add_smooth_plane(const Planes& planes, unsigned levels, crypto::Keystream& stream,
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
    for (std::size_t y = 0; y < planes.height; ++y) {
        const auto down = between(y, planes.height);
        for (std::size_t x = 0; x < planes.width; ++x) {
            const auto along = between(x, planes.width);
            const auto row = [&](std::size_t of) {
                return std::lerp(points[of * grid + along.first], points[of * grid + along.second],
                                 along.share);
            };
            const double value = std::lerp(row(down.first), row(down.second), down.share);
            picture.push_back(level_of(value, levels));
        }
    }
}

}  // namespace

StartKind kind_in_turn(std::size_t turn) {
    const auto round = turn / (kEdged + 1), at = turn % (kEdged + 1);
    return static_cast<StartKind>(at < kEdged ? at : kEdged + round % (kStartKinds - kEdged));
}

std::vector<float> draw_start(StartKind kind, std::span<const std::int64_t> shape, unsigned levels,
                              crypto::Keystream& stream) {
    if (has_colors_last(shape)) {
        std::vector<std::int64_t> turned{shape.back()};
        turned.insert(turned.end(), shape.begin(), shape.end() - 1);
        return with_colors_last(draw_start(kind, turned, levels, stream),
                                static_cast<std::size_t>(shape.back()));
    }
    const auto planes = planes_of(shape);
    if (kind == StartKind::patches) return draw_patches(planes, levels, stream);
    const auto elements = elements_of(shape);
    std::vector<float> picture;
    picture.reserve(elements);
    if (kind == StartKind::waves || kind == StartKind::stripes) {
        for (std::size_t plane = 0; plane < planes.count; ++plane)
            add_wave(planes, kind == StartKind::stripes, levels, stream, picture);
        return picture;
    }
    if (kind == StartKind::smooth) {
        for (std::size_t plane = 0; plane < planes.count; ++plane)
            add_smooth_plane(planes, levels, stream, picture);
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
