#include "images/image_set.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "util/text.h"

namespace modelseal::images {

namespace {

bool is_channels(std::int64_t extent) {
    return extent == 1 || extent == 3;
}

}  // namespace

Result<Geometry> geometry_of(std::span<const std::int64_t> shape) {
    const auto refused = [&](std::string_view why) {
        return Error{ErrorKind::unsupported,
                     fmt::format("the model's input of shape ({}) {}", fmt::join(shape, ", "), why),
                     {}};
    };
    const bool flat = shape.size() == 2;
    const bool first = shape.size() == 3 && is_channels(shape[0]);
    const bool last = !first && shape.size() == 3 && is_channels(shape[2]);
    if (!flat && !first && !last)
        return refused("is not an image: channels (1 or 3), height and width are needed");
    const std::size_t rows = first ? 1 : 0;
    std::uint64_t samples = flat ? 1 : static_cast<std::uint64_t>(first ? shape[0] : shape[2]);
    const auto channels = static_cast<std::uint32_t>(samples);
    for (const auto extent : shape.subspan(rows, 2)) {
        if (extent < 1) return refused("has an extent that is not positive");
        // Cannot overflow: the product is below the cap, an extent below it as well.
        if (static_cast<std::uint64_t>(extent) > io::kMostSamples / samples) return refused("is too large");
        samples *= static_cast<std::uint64_t>(extent);
    }
    return Geometry{.channels = channels,
                    .height = static_cast<std::uint32_t>(shape[rows]),
                    .width = static_cast<std::uint32_t>(shape[rows + 1]),
                    .order = last ? Geometry::Order::channels_last : Geometry::Order::channels_first};
}

io::Picture ImageSet::picture(std::size_t index) const {
    const auto bytes = image(index);
    return {.width = geometry.width,
            .height = geometry.height,
            .channels = geometry.channels,
            .samples = {bytes.begin(), bytes.end()}};
}

std::string ImageSet::origin(std::size_t index) const {
    const auto after = std::ranges::upper_bound(parts, index, {}, &Part::first);
    if (after == parts.begin()) return fmt::format("image {}", index);
    const auto& part = *(after - 1);
    const auto file = util::printable(part.file);
    return part.kind == Part::Kind::picture ? file : fmt::format("{}: image {}", file, index - part.first);
}

Result<Scaler> Scaler::create(const Geometry& geometry, const Scale& scale) {
    const auto wrong = [&](std::string_view what) {
        return Error{ErrorKind::usage, fmt::format("the scale of the model's input: {}", what), {}};
    };
    const auto finite = [](float value) { return std::isfinite(value); };
    if (!finite(scale.low) || !finite(scale.high) || scale.low >= scale.high)
        return wrong("the range needs two numbers, the lower one first");
    for (const auto* values : {&scale.mean, &scale.std}) {
        if (values->size() > 1 && values->size() != geometry.channels) {
            return wrong(fmt::format("{} for {}", util::counted(values->size(), "number"),
                                     util::counted(geometry.channels, "channel")));
        }
        if (!std::ranges::all_of(*values, finite)) return wrong("a number is not finite");
    }
    if (std::ranges::any_of(scale.std, [](float value) { return value <= 0; }))
        return wrong("a standard deviation is not above 0");
    const auto of = [](const std::vector<float>& values, std::size_t channel, float otherwise) {
        return values.empty() ? otherwise : values[values.size() == 1 ? 0 : channel];
    };
    Scaler scaler;
    scaler.geometry_ = geometry;
    for (std::size_t channel = 0; channel < geometry.channels; ++channel) {
        for (int byte = 0; byte < 256; ++byte) {
            const double low = scale.low, high = scale.high;
            const auto value = static_cast<float>(low + (high - low) * byte / 255);
            scaler.table_.push_back((value - of(scale.mean, channel, 0.0f)) / of(scale.std, channel, 1.0f));
        }
    }
    return scaler;
}

void Scaler::append(std::span<const std::uint8_t> image, std::vector<float>& inputs) const {
    const std::size_t channels = geometry_.channels, pixels = image.size() / channels;
    if (geometry_.order == Geometry::Order::channels_last) {
        for (std::size_t i = 0; i < image.size(); ++i) inputs.push_back(table_[i % channels * 256 + image[i]]);
        return;
    }
    for (std::size_t channel = 0; channel < channels; ++channel) {
        const auto* table = &table_[channel * 256];
        for (std::size_t i = 0; i < pixels; ++i) inputs.push_back(table[image[i * channels + channel]]);
    }
}

}  // namespace modelseal::images
