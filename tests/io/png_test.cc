#include "io/png.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/png_builder.h"

namespace modelseal::io {
namespace {

using test::Bytes;
using test::bytes_from;
using test::PngFile;
using testing::ElementsAre;
using testing::HasSubstr;

Picture noise_picture(std::uint32_t width, std::uint32_t height, std::uint32_t channels) {
    Picture picture{.width = width, .height = height, .channels = channels};
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < std::size_t{width} * height * channels; ++i) {
        state = state * 1664525 + 1013904223;
        picture.samples.push_back(static_cast<std::uint8_t>(state >> 24));
    }
    return picture;
}

TEST(Png, GivesBackTheSamplesThatWereEncoded) {
    for (const std::uint32_t channels : {1u, 3u}) {
        for (const auto& [width, height] : {std::pair{1u, 1u}, {32u, 32u}, {7u, 13u}, {300u, 2u}}) {
            const auto picture = noise_picture(width, height, channels);
            const auto read = decode_png(encode_png(picture), "p.png");
            ASSERT_TRUE(read.ok()) << read.error().message;
            EXPECT_EQ(read->width, width);
            EXPECT_EQ(read->height, height);
            EXPECT_EQ(read->channels, channels);
            EXPECT_EQ(read->samples, picture.samples);
        }
    }
}

TEST(Png, IgnoresGammaAndProfile) {
    // gAMA 1.0: viewers would brighten 10 to 59.
    const PngFile file{.rows = bytes_from({0, 10}), .chunks = {{"gAMA", bytes_from({0, 1, 0x86, 0xA0})}}};
    EXPECT_THAT(decode_png(file.build(), "p.png").value().samples, ElementsAre(10));
    const PngFile rgb{.color = 2,
                      .rows = bytes_from({0, 10, 20, 30}),
                      .chunks = {{"gAMA", bytes_from({0, 1, 0x86, 0xA0})}, {"sBIT", bytes_from({5, 6, 5})}}};
    EXPECT_THAT(decode_png(rgb.build(), "p.png").value().samples, ElementsAre(10, 20, 30));
}

TEST(Png, ScalesGrayOfFewBitsToEight) {
    const PngFile one{.width = 4, .depth = 1, .rows = bytes_from({0, 0b01100000})};
    EXPECT_THAT(decode_png(one.build(), "p.png").value().samples, ElementsAre(0, 255, 255, 0));
    const PngFile two{.width = 4, .depth = 2, .rows = bytes_from({0, 0b00011011})};
    EXPECT_THAT(decode_png(two.build(), "p.png").value().samples, ElementsAre(0, 85, 170, 255));
    const PngFile four{.width = 2, .depth = 4, .rows = bytes_from({0, 0x1F})};
    EXPECT_THAT(decode_png(four.build(), "p.png").value().samples, ElementsAre(17, 255));
}

TEST(Png, RoundsSixteenBitsToEight) {
    // 0x0180 is 384 / 257 = 1.49, 0x0181 is 1.498, 0x0182 is 1.502.
    const PngFile file{.width = 3, .depth = 16, .rows = bytes_from({0, 0x01, 0x80, 0x01, 0x82, 0xFF, 0xFF})};
    EXPECT_THAT(decode_png(file.build(), "p.png").value().samples, ElementsAre(1, 2, 255));
}

TEST(Png, ReadsPalettesAsColors) {
    const PngFile file{.width = 2,
                       .depth = 4,
                       .color = 3,
                       .rows = bytes_from({0, 0x10}),
                       .chunks = {{"PLTE", bytes_from({1, 2, 3, 4, 5, 6})}}};
    const auto picture = decode_png(file.build(), "p.png").value();
    EXPECT_EQ(picture.channels, 3u);
    EXPECT_THAT(picture.samples, ElementsAre(4, 5, 6, 1, 2, 3));
}

TEST(Png, DropsAlphaOfOpaquePictures) {
    const PngFile rgba{.width = 2, .color = 6, .rows = bytes_from({0, 1, 2, 3, 255, 4, 5, 6, 255})};
    const auto picture = decode_png(rgba.build(), "p.png").value();
    EXPECT_EQ(picture.channels, 3u);
    EXPECT_THAT(picture.samples, ElementsAre(1, 2, 3, 4, 5, 6));
    const PngFile gray{.width = 2, .color = 4, .rows = bytes_from({0, 9, 255, 8, 255})};
    EXPECT_THAT(decode_png(gray.build(), "p.png").value().samples, ElementsAre(9, 8));
    // The transparent color is 7, and the picture has none of it.
    const PngFile keyed{.width = 2, .rows = bytes_from({0, 9, 8}), .chunks = {{"tRNS", bytes_from({0, 7})}}};
    EXPECT_THAT(decode_png(keyed.build(), "p.png").value().samples, ElementsAre(9, 8));
}

TEST(Png, RefusesTransparentPixels) {
    const PngFile rgba{.width = 2, .color = 6, .rows = bytes_from({0, 1, 2, 3, 255, 4, 5, 6, 254})};
    const auto refused = decode_png(rgba.build(), "p.png");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(refused.error().message, "p.png: the picture has transparent pixels");
    const PngFile keyed{.width = 2, .rows = bytes_from({0, 9, 7}), .chunks = {{"tRNS", bytes_from({0, 7})}}};
    EXPECT_THAT(decode_png(keyed.build(), "p.png").error().message, HasSubstr("transparent"));
}

// Adam7 of 2 x 2 pixels: pass 1 has the first pixel, pass 6 the second, pass 7 the second row.
TEST(Png, ReadsInterlacedPictures) {
    PngFile file{.width = 2, .height = 2, .rows = bytes_from({0, 1, 0, 2, 0, 3, 4})};
    auto bytes = file.build();
    Bytes header(bytes.begin() + 16, bytes.begin() + 29);
    header[12] = std::byte{1};
    Bytes interlaced(bytes.begin(), bytes.begin() + 8);
    test::put_chunk(interlaced, "IHDR", header);
    interlaced.insert(interlaced.end(), bytes.begin() + 33, bytes.end());
    EXPECT_THAT(decode_png(interlaced, "p.png").value().samples, ElementsAre(1, 2, 3, 4));
}

TEST(Png, SkipsTextOfAnySize) {
    // 64 MiB of text after inflation; it is not inflated.
    Bytes text = bytes_from({'k', 0, 0});
    const auto packed = test::zlib_packed(Bytes(64u << 20));
    text.insert(text.end(), packed.begin(), packed.end());
    const PngFile file{.rows = bytes_from({0, 10}), .chunks = {{"zTXt", text}, {"zTXt", text}}};
    EXPECT_THAT(decode_png(file.build(), "p.png").value().samples, ElementsAre(10));
}

TEST(Png, RefusesMoreSamplesThanTheCap) {
    const PngFile wide{.width = 1u << 20, .height = 1u << 20, .rows = bytes_from({0})};
    const auto refused = decode_png(wide.build(), "p.png");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(refused.error().message,
              "p.png: a picture of 1048576 x 1048576 pixels; at most 67,108,864 samples are read");
    // 2^26 pixels are too many if a pixel has three samples.
    const PngFile colors{.width = 1u << 13, .height = 1u << 13, .color = 2, .rows = bytes_from({0})};
    EXPECT_EQ(decode_png(colors.build(), "p.png").error().kind, ErrorKind::unsupported);
    // Beyond libpng's own limits.
    for (const std::uint32_t width : {0u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu}) {
        const PngFile odd{.width = width, .rows = bytes_from({0})};
        EXPECT_FALSE(decode_png(odd.build(), "p.png").ok()) << width;
    }
}

TEST(Png, RefusesMissingRows) {
    const PngFile file{.width = 1u << 12, .height = 1u << 12, .rows = bytes_from({0, 1, 2})};
    const auto refused = decode_png(file.build(), "a\x1b.png");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::malformed);
    EXPECT_THAT(refused.error().message, HasSubstr("a\\x1b.png: not a sound PNG picture ("));
}

TEST(Png, RefusesEveryCutFile) {
    const auto bytes = encode_png(noise_picture(9, 5, 3));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto refused = decode_png(std::span(bytes).first(size), "p.png");
        ASSERT_FALSE(refused.ok()) << size;
        EXPECT_EQ(refused.error().kind, ErrorKind::malformed);
        EXPECT_FALSE(refused.error().message.empty());
    }
}

// Of a file without ancillary chunks: damage in those is of no consequence.
TEST(Png, RefusesEveryFlippedBit) {
    auto bytes =
        PngFile{.width = 5, .height = 2, .rows = bytes_from({0, 9, 8, 7, 6, 5, 2, 4, 3, 2, 1, 0})}.build();
    for (std::size_t i = 0; i < 8 * bytes.size(); ++i) {
        const auto mask = static_cast<std::byte>(1u << i % 8);
        bytes[i / 8] ^= mask;
        EXPECT_FALSE(decode_png(bytes, "p.png").ok()) << i;
        bytes[i / 8] ^= mask;
    }
    EXPECT_TRUE(decode_png(bytes, "p.png").ok());
}

TEST(Png, IsRecognizedByItsSignature) {
    EXPECT_TRUE(is_png(encode_png(noise_picture(1, 1, 1))));
    EXPECT_FALSE(is_png({}));
    EXPECT_FALSE(is_png(bytes_from({0x89, 'P', 'N'})));
    EXPECT_EQ(decode_png(bytes_from({0xFF, 0xD8, 0xFF}), "p.jpg").error().message, "p.jpg: not a PNG picture");
}

}  // namespace
}  // namespace modelseal::io
