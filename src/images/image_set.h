// Images of one size in memory, as bytes, and their way into a network.
//
// Thread safety: plain values; const access from several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/png.h"
#include <modelseal/result.h>

namespace modelseal::images {

// The images that a model takes.
struct Geometry {
    enum class Order { channels_first, channels_last };  // of the model's input
    std::uint32_t channels = 3, height = 0, width = 0;   // channels: 1 gray, 3 RGB
    Order order = Order::channels_first;
    std::size_t samples() const { return std::size_t{channels} * height * width; }
};

// Of an input without the batch dimension: (C, H, W), (H, W, C), or (H, W) for gray, where C is 1 or 3. If both ends
// could be channels, the first is. Error `unsupported` for another shape, or more than io::kMostSamples.
Result<Geometry> geometry_of(std::span<const std::int64_t> shape);

struct ImageSet {
    Geometry geometry;
    // One block of geometry.samples() for each image: rows from the top, samples of a pixel side by side, whatever
    // the order of the model's input.
    std::vector<std::uint8_t> samples;

    // Where images come from: those from `first` to the next part's.
    struct Part {
        std::string file;
        std::size_t first = 0;
        enum class Kind { picture, records } kind = Kind::picture;
    };
    std::vector<Part> parts;

    std::size_t count() const { return samples.empty() ? 0 : samples.size() / geometry.samples(); }
    std::span<const std::uint8_t> image(std::size_t index) const {
        return std::span(samples).subspan(index * geometry.samples(), geometry.samples());
    }
    io::Picture picture(std::size_t index) const;
    // For messages: "keys/a.png", or "data_batch_1.bin: image 17", counted from 0 in its file. Printable.
    std::string origin(std::size_t index) const;
};

// images.count() labels, from 0 to classes - 1; at least two different ones.
struct LabeledImages {
    ImageSet images;
    std::vector<std::int64_t> labels;
    std::size_t classes = 0;
};

// How bytes become the numbers that a network takes:
//
//     value = low + (high - low) * byte / 255        in double, rounded to float
//     input = (value - mean) / std                   in float
//
// as image loaders do with low 0 and high 1. `mean` and `std`: empty, one number, or one for each channel.
struct Scale {
    float low = 0, high = 1;
    std::vector<float> mean = {}, std = {};
};

class Scaler {
  public:
    // Error `usage` for another number of values than channels, a std that is not above 0, or numbers that are not
    // finite.
    static Result<Scaler> create(const Geometry& geometry, const Scale& scale);

    // Appends one image, geometry.samples() bytes as in ImageSet, in the order of the model's input.
    void append(std::span<const std::uint8_t> image, std::vector<float>& inputs) const;

  private:
    Scaler() = default;
    Geometry geometry_;
    std::vector<float> table_;  // 256 numbers for each channel
};

}  // namespace modelseal::images
