#include "io/jpeg.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/data.h"
#include "tests/support/files.h"
#include "tests/support/jpeg_builder.h"

namespace modelseal::io {
namespace {

using test::Bytes;
using test::jpeg_of;
using test::JpegKind;
using testing::HasSubstr;

// A slope in each channel, so that JPEG keeps it within a few steps.
Picture slopes(std::uint32_t width, std::uint32_t height, std::uint32_t channels) {
    Picture picture{.width = width, .height = height, .channels = channels};
    for (std::uint32_t i = 0; i < width * height; ++i) {
        const auto x = i % width, y = i / width;
        const std::uint32_t values[] = {4 * x, 4 * y, 2 * (x + y), 0};
        for (std::uint32_t c = 0; c < channels; ++c)
            picture.samples.push_back(static_cast<std::uint8_t>(values[c]));
    }
    return picture;
}

int largest_difference(const Picture& a, const Picture& b) {
    int largest = 0;
    for (std::size_t i = 0; i < a.samples.size(); ++i) {
        largest = std::max(largest, std::abs(int{a.samples[i]} - int{b.samples[i]}));
    }
    return largest;
}

TEST(Jpeg, IsReadInBothModesAndBothColors) {
    for (const std::uint32_t channels : {1u, 3u}) {
        for (const auto kind : {JpegKind::baseline, JpegKind::progressive}) {
            const auto picture = slopes(40, 27, channels);
            const auto read = decode_jpeg(jpeg_of(picture, 98, kind), "p.jpg");
            ASSERT_TRUE(read.ok()) << read.error().message;
            EXPECT_EQ(read->width, 40u);
            EXPECT_EQ(read->height, 27u);
            EXPECT_EQ(read->channels, channels);
            ASSERT_EQ(read->samples.size(), picture.samples.size());
            EXPECT_LE(largest_difference(*read, picture), 6);
        }
    }
}

TEST(Jpeg, RefusesPicturesForPrint) {
    const auto refused = decode_jpeg(jpeg_of(slopes(8, 8, 4), 90, JpegKind::print), "p.jpg");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(refused.error().message,
              "p.jpg: a JPEG picture that is neither gray nor RGB, as those for print are");
}

TEST(Jpeg, RefusesEveryCutFile) {
    for (const auto kind : {JpegKind::baseline, JpegKind::progressive}) {
        const auto bytes = jpeg_of(slopes(17, 9, 3), 90, kind);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto refused = decode_jpeg(std::span(bytes).first(size), "p.jpg");
            ASSERT_FALSE(refused.ok()) << size << " of " << bytes.size();
            EXPECT_EQ(refused.error().kind, ErrorKind::malformed);
            EXPECT_THAT(refused.error().message, HasSubstr("p.jpg: not a"));
        }
    }
}

// The marker SOFn: 2 bytes, length, depth, then height and width.
std::size_t frame_header(const Bytes& bytes) {
    for (std::size_t i = 2; i + 1 < bytes.size(); ++i) {
        const auto marker = std::to_integer<int>(bytes[i + 1]);
        if (bytes[i] == std::byte{0xFF} && (marker == 0xC0 || marker == 0xC2)) return i;
    }
    return 0;
}

TEST(Jpeg, RefusesMoreSamplesThanTheCap) {
    auto bytes = jpeg_of(slopes(8, 8, 3), 90);
    const auto at = frame_header(bytes);
    for (std::size_t i = 5; i < 9; ++i) bytes[at + i] = std::byte{0xF0};
    const auto refused = decode_jpeg(bytes, "p.jpg");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message,
              "p.jpg: a picture of 61680 x 61680 pixels; at most 67,108,864 samples are read");
}

TEST(Jpeg, RefusesMissingBlocks) {
    auto bytes = jpeg_of(slopes(8, 8, 3), 90);
    const auto at = frame_header(bytes);
    bytes[at + 5] = std::byte{0x10};  // 4096 rows and more
    const auto refused = decode_jpeg(bytes, "p.jpg");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::malformed);
    EXPECT_THAT(refused.error().message, HasSubstr("premature end"));
}

TEST(Jpeg, RefusesManyScans) {
    const auto refused = decode_jpeg(jpeg_of(slopes(8, 8, 1), 90, JpegKind::scans), "p.jpg");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(refused.error().message, "p.jpg: a JPEG picture of more than 64 scans");
}

// The first scan twice.
TEST(Jpeg, RefusesRepeatedScans) {
    const auto bytes = jpeg_of(slopes(8, 8, 1), 90, JpegKind::progressive);
    auto first = frame_header(bytes);
    while (bytes[first] != std::byte{0xFF} || bytes[first + 1] != std::byte{0xDA}) ++first;
    auto end = first + 2;
    while (bytes[end] != std::byte{0xFF} || bytes[end + 1] == std::byte{0}) ++end;
    const auto at = [&](std::size_t offset) { return bytes.begin() + static_cast<std::ptrdiff_t>(offset); };
    Bytes twice(bytes.begin(), at(end));
    twice.insert(twice.end(), at(first), bytes.end());
    const auto refused = decode_jpeg(twice, "p.jpg");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::malformed);
    EXPECT_THAT(refused.error().message, HasSubstr("progression"));
}

TEST(Jpeg, ReadsPhotographs) {
    const auto folder = test::data_folder() / "datasets" / "imagenet-samples";
    if (!std::filesystem::exists(folder))
        GTEST_SKIP() << "no photographs at " << folder << " (MODELSEAL_TEST_DATA)";
    std::size_t read = 0;
    for (const auto& path : test::files_under(folder)) {
        const auto picture = decode_jpeg(test::load(path), path.filename().string());
        ASSERT_TRUE(picture.ok()) << picture.error().message;
        EXPECT_EQ(picture->samples.size(), std::size_t{picture->width} * picture->height * picture->channels);
        ++read;
    }
    EXPECT_EQ(read, 58u);
}

}  // namespace
}  // namespace modelseal::io
