#include "images/image_set.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modelseal::images {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Shape = std::vector<std::int64_t>;

TEST(Geometry, IsThatOfTheModelsInput) {
    const auto first = geometry_of(Shape{3, 32, 48}).value();
    EXPECT_EQ(first.channels, 3u);
    EXPECT_EQ(first.height, 32u);
    EXPECT_EQ(first.width, 48u);
    EXPECT_EQ(first.order, Geometry::Order::channels_first);
    const auto last = geometry_of(Shape{28, 30, 1}).value();
    EXPECT_EQ(last.channels, 1u);
    EXPECT_EQ(last.height, 28u);
    EXPECT_EQ(last.width, 30u);
    EXPECT_EQ(last.order, Geometry::Order::channels_last);
    const auto flat = geometry_of(Shape{28, 30}).value();
    EXPECT_EQ(flat.channels, 1u);
    EXPECT_EQ(flat.height, 28u);
    EXPECT_EQ(flat.width, 30u);
    // Channels come first if both ends could be them.
    EXPECT_EQ(geometry_of(Shape{3, 5, 1}).value().order, Geometry::Order::channels_first);
}

TEST(Geometry, RefusesOtherInputs) {
    EXPECT_EQ(
        geometry_of(Shape{784}).error().message,
        "the model's input of shape (784) is not an image: channels (1 or 3), height and width are needed");
    EXPECT_THAT(geometry_of(Shape{}).error().message, HasSubstr("not an image"));
    EXPECT_THAT(geometry_of(Shape{4, 32, 32}).error().message, HasSubstr("not an image"));
    EXPECT_THAT(geometry_of(Shape{1, 3, 32, 32}).error().message, HasSubstr("not an image"));
    EXPECT_THAT(geometry_of(Shape{3, 0, 32}).error().message, HasSubstr("not positive"));
    EXPECT_THAT(geometry_of(Shape{3, -1, 32}).error().message, HasSubstr("not positive"));
    EXPECT_THAT(geometry_of(Shape{3, 1 << 20, 1 << 20}).error().message, HasSubstr("too large"));
    EXPECT_THAT(geometry_of(Shape{1, std::numeric_limits<std::int64_t>::max(), 2}).error().message,
                HasSubstr("too large"));
}

TEST(ImageSet, NamesWhereAnImageComesFrom) {
    const ImageSet set{.geometry = {.channels = 1, .height = 1, .width = 1},
                       .samples = {5, 6, 7, 8},
                       .parts = {{"a.png", 0, ImageSet::Part::Kind::picture},
                                 {"b\x1b.bin", 1, ImageSet::Part::Kind::records}}};
    EXPECT_EQ(set.count(), 4u);
    EXPECT_EQ(set.origin(0), "a.png");
    EXPECT_EQ(set.origin(1), "b\\x1b.bin: image 0");
    EXPECT_EQ(set.origin(3), "b\\x1b.bin: image 2");
    EXPECT_THAT(set.picture(2).samples, ElementsAre(7));
}

const Geometry kTwoPixels{.channels = 3, .height = 1, .width = 2};

std::vector<float> scaled(const Geometry& geometry, const Scale& scale, std::vector<std::uint8_t> image) {
    std::vector<float> inputs = {-1};  // appended to
    Scaler::create(geometry, scale).value().append(image, inputs);
    inputs.erase(inputs.begin());
    return inputs;
}

TEST(Scaler, PutsChannelsWhereTheModelHasThem) {
    EXPECT_THAT(scaled(kTwoPixels, {.low = 0, .high = 255}, {1, 2, 3, 4, 5, 6}), ElementsAre(1, 4, 2, 5, 3, 6));
    auto last = kTwoPixels;
    last.order = Geometry::Order::channels_last;
    EXPECT_THAT(scaled(last, {.low = 0, .high = 255}, {1, 2, 3, 4, 5, 6}), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Scaler, NormalizesEachChannel) {
    const Scale scale{.low = -1, .high = 1, .mean = {0.5f, 0, -1}, .std = {0.5f, 2, 4}};
    EXPECT_THAT(scaled(kTwoPixels, scale, {0, 0, 0, 255, 255, 255}), ElementsAre(-3, 1, -0.5f, 0.5f, 0, 0.5f));
    const Scale one{.mean = {0.5f}, .std = {0.5f}};
    EXPECT_THAT(scaled(kTwoPixels, one, {0, 255, 0, 0, 0, 0}), ElementsAre(-1, -1, 1, -1, -1, -1));
}

// torchvision.transforms.ToTensor divides in float.
TEST(Scaler, GivesTheNumbersOfImageLoaders) {
    for (int byte = 0; byte < 256; ++byte) {
        const auto image = static_cast<std::uint8_t>(byte);
        EXPECT_EQ(scaled({.channels = 1, .height = 1, .width = 1}, {}, {image})[0],
                  static_cast<float>(byte) / 255.0f);
    }
}

TEST(Scaler, RefusesNumbersThatDoNotFit) {
    const auto message = [](const Scale& scale) { return Scaler::create(kTwoPixels, scale).error().message; };
    EXPECT_EQ(message({.mean = {1, 2}}), "the scale of the model's input: 2 numbers for 3 channels");
    EXPECT_THAT(message({.std = {1, 2, 0}}), HasSubstr("not above 0"));
    EXPECT_THAT(message({.std = {1, 2, std::numeric_limits<float>::infinity()}}), HasSubstr("not finite"));
    EXPECT_THAT(message({.low = 1, .high = 1}), HasSubstr("range"));
    EXPECT_THAT(message({.low = std::numeric_limits<float>::quiet_NaN()}), HasSubstr("range"));
}

}  // namespace
}  // namespace modelseal::images
