#include "blackbox/pairs/preview.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <png.h>

#include "blackbox/canvas.h"
#include "tests/support/models/small_fingerprint.h"
#include "tests/support/scratch.h"

namespace modelseal::blackbox {
namespace {

struct Decoded {
    std::uint32_t width = 0, height = 0;
    std::vector<std::uint8_t> samples;
    Colour at(std::uint32_t x, std::uint32_t y) const {
        const auto* pixel = &samples[3 * (std::size_t{y} * width + x)];
        return {pixel[0], pixel[1], pixel[2]};
    }
};

Decoded decode(const std::vector<std::byte>& bytes) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) {
        throw std::runtime_error(image.message);
    }
    image.format = PNG_FORMAT_RGB;
    Decoded out{image.width, image.height, std::vector<std::uint8_t>(PNG_IMAGE_SIZE(image))};
    png_image_finish_read(&image, nullptr, out.samples.data(), 0, nullptr);
    return out;
}

void use_shape(Fingerprint& made, std::vector<std::int64_t> shape) {
    made.input.shape.shape = std::move(shape);
    for (auto& path : made.pairs().paths) {
        path.base.assign(made.input.shape.elements(), 100);
        path.direction.assign(made.input.shape.elements(), 1);
    }
}

TEST(Preview, ShowsBothMembersAndTheirDifference) {
    auto made = test::small_fingerprint();
    use_shape(made, {3, 8, 8});
    made.pairs().paths[0].base.assign(192, 0);
    std::fill(made.pairs().paths[0].base.begin(), made.pairs().paths[0].base.begin() + 64, 200.0f);  // red
    made.pairs().paths[0].direction.assign(192, 0);
    made.pairs().paths[0].direction[0] = 50;  // red, top left
    const auto picture = decode(preview_of_pairs(made, 1));
    const auto red = picture.at(8, 8), brighter = picture.at(8 + 66, 8), difference = picture.at(8 + 132, 8);
    EXPECT_EQ(red.red, 200);
    EXPECT_EQ(red.blue, 0);
    EXPECT_EQ(brighter.red, 250);
    EXPECT_EQ(difference.red, 255);
    EXPECT_EQ(difference.green, 128);
    EXPECT_EQ(picture.at(8 + 132 + 63, 8).red, 128);
}

TEST(Preview, IsMadeOfInputsOfEveryShape) {
    for (const auto& shape : std::vector<std::vector<std::int64_t>>{
             {1}, {7}, {2, 3, 3}, {1, 5, 4}, {28, 28}, {3, 600, 20}, {2, 2, 2, 2}, {70'000}}) {
        auto made = test::small_fingerprint();
        use_shape(made, shape);
        for (const std::size_t pairs : {0u, 1u, 2u, 100u}) {
            const auto images = decode(preview_of_pairs(made, pairs));
            const auto sheet = decode(sheet_of_pairs(made, pairs));
            EXPECT_GT(sheet.height, images.height);
            EXPECT_LE(images.width, 1000u);
        }
    }
}

TEST(Preview, SurvivesMarginsOfZeroAndNoNoise) {
    auto made = test::small_fingerprint();
    for (auto& rung : made.pairs().rungs) {
        rung.noise = rung.floor = 0;
        for (auto& pair : rung.pairs) pair.member[0].margin = pair.member[1].margin = 0;
    }
    EXPECT_GT(decode(sheet_of_pairs(made, 4)).width, 0u);
}

TEST(Canvas, DrawsNothingOutside) {
    Canvas canvas(3, 2, {1, 2, 3});
    canvas.rectangle(-5, -5, 6, 6, {9, 9, 9});
    canvas.text(2, 1, "A\xff", {9, 9, 9});
    const auto picture = decode(canvas.png());
    EXPECT_EQ(picture.at(0, 0).red, 9);
    EXPECT_EQ(picture.at(1, 1).red, 1);
    EXPECT_THROW(Canvas(0, 1, {}), std::length_error);
    EXPECT_THROW(Canvas(1 << 20, 1 << 20, {}), std::length_error);
}

TEST(Canvas, LettersAreThemselves) {
    Canvas canvas(6, 7, {});
    canvas.text(0, 0, "T", {255, 255, 255});
    const auto picture = decode(canvas.png());
    std::string drawn;
    for (std::uint32_t y = 0; y < 7; ++y) {
        for (std::uint32_t x = 0; x < 5; ++x) drawn += picture.at(x, y).red != 0 ? '#' : '.';
        drawn += '\n';
    }
    EXPECT_EQ(drawn, "#####\n..#..\n..#..\n..#..\n..#..\n..#..\n..#..\n");
}

}  // namespace
}  // namespace modelseal::blackbox
