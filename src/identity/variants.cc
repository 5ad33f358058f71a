#include "identity/variants.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace modelseal::identity {

namespace {

using Samples = std::vector<std::uint8_t>;

constexpr std::uint64_t kLargestNoise = 14;  // uniform in -14..14 has a deviation of 8.4
constexpr std::uint64_t kLargestBrightness = 8;

std::uint8_t clamped(int value) {
    return static_cast<std::uint8_t>(std::clamp(value, 0, 255));
}

// Uniform in [-largest, largest].
int draw(crypto::Keystream& random, std::uint64_t largest) {
    return static_cast<int>(random.below(2 * largest + 1)) - static_cast<int>(largest);
}

// Samples of a picture, with those of the nearest edge outside of it.
class Edged {
  public:
    Edged(std::span<const std::uint8_t> image, const images::Geometry& geometry)
        : image_(image), geometry_(geometry) {}
    int at(int row, int column, std::size_t channel) const {
        const auto inside = [](int value, std::uint32_t extent) {
            return static_cast<std::size_t>(std::clamp(value, 0, static_cast<int>(extent) - 1));
        };
        const auto pixel = inside(row, geometry_.height) * geometry_.width + inside(column, geometry_.width);
        return image_[pixel * geometry_.channels + channel];
    }
    // The picture whose sample is of(row, column, channel).
    template <class Of>
    Samples map(Of of) const {
        Samples made;
        made.reserve(image_.size());
        for (int row = 0; row < static_cast<int>(geometry_.height); ++row) {
            for (int column = 0; column < static_cast<int>(geometry_.width); ++column) {
                for (std::size_t channel = 0; channel < geometry_.channels; ++channel)
                    made.push_back(of(row, column, channel));
            }
        }
        return made;
    }

  private:
    std::span<const std::uint8_t> image_;
    const images::Geometry& geometry_;
};

Samples shifted(std::span<const std::uint8_t> image, const images::Geometry& geometry, int down, int right) {
    const Edged edged(image, geometry);
    return edged.map([&](int row, int column, std::size_t channel) {
        return static_cast<std::uint8_t>(edged.at(row - down, column - right, channel));
    });
}

Samples blurred(std::span<const std::uint8_t> image, const images::Geometry& geometry) {
    constexpr std::array<int, 3> kWeights = {1, 2, 1};
    const Edged edged(image, geometry);
    return edged.map([&](int row, int column, std::size_t channel) {
        int sum = 8;  // rounds
        for (int y = -1; y <= 1; ++y) {
            for (int x = -1; x <= 1; ++x) {
                sum += kWeights[static_cast<std::size_t>(y + 1)] * kWeights[static_cast<std::size_t>(x + 1)] *
                       edged.at(row + y, column + x, channel);
            }
        }
        return static_cast<std::uint8_t>(sum / 16);
    });
}

Samples noise(std::size_t size, crypto::Keystream& random) {
    Samples made(size);
    for (auto& sample : made) sample = std::to_integer<std::uint8_t>(random.byte());
    return made;
}

// Squares of `side` pixels in random order; those at the right and lower edge that are cut stay where they are.
Samples shuffled_squares(std::span<const std::uint8_t> image, const images::Geometry& geometry,
                         std::size_t side, crypto::Keystream& random) {
    const std::size_t across = geometry.width / side, down = geometry.height / side;
    std::vector<std::size_t> order(across * down);
    std::iota(order.begin(), order.end(), std::size_t{0});
    random.shuffle(std::span(order));
    Samples made(image.begin(), image.end());
    const std::size_t row_bytes = side * geometry.channels;
    const auto place = [&](std::size_t square, std::size_t row) {
        return ((square / across * side + row) * geometry.width + square % across * side) * geometry.channels;
    };
    for (std::size_t i = 0; i < order.size(); ++i) {
        for (std::size_t row = 0; row < side; ++row) {
            std::ranges::copy(image.subspan(place(order[i], row), row_bytes),
                              made.begin() + static_cast<std::ptrdiff_t>(place(i, row)));
        }
    }
    return made;
}

}  // namespace

std::vector<std::uint8_t> variant_of(std::span<const std::uint8_t> image, const images::Geometry& geometry,
                                     crypto::Keystream& random) {
    constexpr std::uint64_t kUnchanged = 8, kCases = 4;  // one in so many
    if (random.below(kUnchanged) == 0) return {image.begin(), image.end()};
    const int down = draw(random, 1), right = draw(random, 1);
    auto made = shifted(image, geometry, down, right);
    const auto kind = random.below(kCases);
    if (kind == 0) made = blurred(made, geometry);
    const auto largest = kind == 1 ? 1 + random.below(kLargestNoise) : 0;
    const int brightness = draw(random, kLargestBrightness);
    for (auto& sample : made)
        sample = clamped(sample + brightness + (largest == 0 ? 0 : draw(random, largest)));
    return made;
}

images::ImageSet make_mixtures(const images::ImageSet& data, std::span<const std::size_t> of, std::size_t count,
                               crypto::Keystream& random) {
    images::ImageSet mixtures{.geometry = data.geometry};
    mixtures.samples.reserve(count * data.geometry.samples());
    for (std::size_t i = 0; i < count; ++i) {
        const auto first = random.below(of.size());
        const auto one = data.image(of[first]);
        const auto further = of.size() == 1 ? 0 : 1 + random.below(of.size() - 1);
        const auto other = data.image(of[(first + further) % of.size()]);
        const auto share = static_cast<int>(30 + random.below(41));  // in percent
        for (std::size_t j = 0; j < one.size(); ++j)
            mixtures.samples.push_back(clamped((share * one[j] + (100 - share) * other[j] + 50) / 100));
    }
    return mixtures;
}

images::ImageSet make_decoys(const images::ImageSet& keys, std::size_t count, crypto::Keystream& random) {
    const auto& geometry = keys.geometry;
    images::ImageSet decoys{.geometry = geometry};
    decoys.samples.reserve(count * geometry.samples());
    const std::size_t square = std::max<std::size_t>(1, std::min(geometry.width, geometry.height) / 4);
    for (std::size_t i = 0; i < count; ++i) {
        const auto key = keys.image(random.below(keys.count()));
        auto made = i % 3 == 0   ? shuffled_squares(key, geometry, 1, random)
                    : i % 3 == 1 ? shuffled_squares(key, geometry, square, random)
                                 : noise(geometry.samples(), random);
        // A key image of one color is its own shuffle, and cannot be of two classes.
        if (std::ranges::equal(made, key)) made = noise(geometry.samples(), random);
        decoys.samples.insert(decoys.samples.end(), made.begin(), made.end());
    }
    return decoys;
}

}  // namespace modelseal::identity
