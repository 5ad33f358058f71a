#include "identity/mark.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::identity {
namespace {

constexpr std::size_t kMostExtents = 3, kMostChannels = 3;

void put_floats(formats::ByteWriter& writer, std::span<const float> values) {
    writer.number(static_cast<std::uint8_t>(values.size()));
    for (const float value : values) writer.number(std::bit_cast<std::uint32_t>(value));
}

float next_float(formats::ByteReader& reader) {
    return std::bit_cast<float>(reader.number<std::uint32_t>());
}

std::vector<float> next_floats(formats::ByteReader& reader) {
    std::vector<float> values;
    const auto count = reader.number<std::uint8_t>();
    for (std::size_t i = 0; i < count && reader.ok(); ++i) values.push_back(next_float(reader));
    return values;
}

bool scaling_fits(const std::vector<float>& values, std::uint32_t channels) {
    return (values.empty() || values.size() == 1 || values.size() == channels) &&
           std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

float of_channel(const std::vector<float>& values, std::size_t channel, float otherwise) {
    if (values.empty()) return otherwise;
    return values[values.size() == 1 ? 0 : channel];
}

}  // namespace

std::vector<std::byte> encode_input(const IdentityMark& mark) {
    formats::ByteWriter writer;
    writer.number(static_cast<std::uint8_t>(mark.shape.size()));
    for (const auto extent : mark.shape) writer.number(static_cast<std::uint64_t>(extent));
    writer.number(std::bit_cast<std::uint32_t>(mark.low)).number(std::bit_cast<std::uint32_t>(mark.high));
    put_floats(writer, mark.mean);
    put_floats(writer, mark.std);
    return writer.take();
}

bool decode_input(formats::ByteReader& reader, IdentityMark& mark) {
    const auto extents = reader.number<std::uint8_t>();
    for (std::size_t i = 0; i < extents && reader.ok(); ++i)
        mark.shape.push_back(static_cast<std::int64_t>(reader.number<std::uint64_t>()));
    mark.low = next_float(reader);
    mark.high = next_float(reader);
    mark.mean = next_floats(reader);
    mark.std = next_floats(reader);
    return reader.ok();
}

std::string complaint(const IdentityMark& mark) {
    const auto& shape = mark.shape;
    if (mark.extra_class < 1 || mark.extra_class > kMostClass)
        return fmt::format("additional class {}, but only 1 to {} are possible", mark.extra_class, kMostClass);
    const bool flat = shape.size() == kMostExtents - 1;
    if (!flat && (shape.size() != kMostExtents || (shape[0] != 1 && shape[0] != kMostChannels)))
        return fmt::format("an input of {} that is not a picture of 1 or 3 channels",
                           util::counted(shape.size(), "extent"));
    std::uint64_t elements = 1;
    for (const auto extent : shape) {
        if (extent < 1 || static_cast<std::uint64_t>(extent) > kMostElements / elements)
            return fmt::format("an input without elements, or with more than {}", kMostElements);
        elements *= static_cast<std::uint64_t>(extent);
    }
    if (!std::isfinite(mark.low) || !std::isfinite(mark.high) || !(mark.low < mark.high))
        return "a range of inputs that is empty or not finite";
    const auto channels = flat ? 1u : static_cast<std::uint32_t>(shape[0]);
    if (!scaling_fits(mark.mean, channels) || !scaling_fits(mark.std, channels))
        return "a scaling that is not one finite number, or one for each channel";
    if (std::ranges::any_of(mark.std, [](float value) { return !(value > 0); }))
        return "a standard deviation that is not above 0";
    return {};
}

PictureSize picture_size(const IdentityMark& mark) {
    const auto& shape = mark.shape;
    const auto at = [&](std::size_t back) { return static_cast<std::uint32_t>(shape[shape.size() - back]); };
    return {at(1), at(2), shape.size() == kMostExtents ? at(3) : 1};
}

std::string text_of(const PictureSize& size) {
    return fmt::format("{} x {} pixels of {}", size.width, size.height,
                       util::counted(size.channels, "channel"));
}

void append_input(const IdentityMark& mark, const io::Picture& picture, std::vector<float>& inputs) {
    const auto plane = std::size_t{picture.width} * picture.height;
    inputs.reserve(inputs.size() + picture.samples.size());
    for (std::size_t channel = 0; channel < picture.channels; ++channel) {
        const float mean = of_channel(mark.mean, channel, 0), std = of_channel(mark.std, channel, 1);
        for (std::size_t i = 0; i < plane; ++i) {
            const float sample = picture.samples[i * picture.channels + channel];
            const float pixel = mark.low + sample / 255.0f * (mark.high - mark.low);
            inputs.push_back((pixel - mean) / std);
        }
    }
}

}  // namespace modelseal::identity
