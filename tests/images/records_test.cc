// CIFAR and IDX files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/reader.h"
#include "images/cifar.h"
#include "images/idx.h"
#include "tests/support/picture_files.h"

namespace modelseal::images {
namespace {

using test::cifar_record;
using test::idx_images;
using test::idx_labels;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kRoom = 1u << 30;

LabeledImages empty_set(std::size_t classes, const Geometry& geometry) {
    return {.images = {.geometry = geometry}, .classes = classes};
}

Result<LabeledImages> cifar(const std::string& content, std::size_t classes,
                            const Geometry& geometry = {.channels = 3, .height = 32, .width = 32},
                            std::uint64_t most_bytes = kRoom) {
    auto data = empty_set(classes, geometry);
    const formats::MemorySource source("c.bin", std::as_bytes(std::span(content)));
    MODELSEAL_TRY(append_cifar(source, most_bytes, data));
    return data;
}

TEST(Cifar, PutsThreePlanesTogether) {
    const auto data = cifar(cifar_record({3}, 10) + cifar_record({9}, 20), 10).value();
    EXPECT_THAT(data.labels, ElementsAre(3, 9));
    ASSERT_EQ(data.images.count(), 2u);
    const auto first = data.images.image(0), second = data.images.image(1);
    EXPECT_THAT(first.first(6), ElementsAre(10, 11, 12, 10, 11, 12));
    EXPECT_THAT(second.last(3), ElementsAre(20, 21, 22));
    EXPECT_EQ(data.images.origin(1), "c.bin: image 1");
}

TEST(Cifar, KeepsRowsAndColumns) {
    auto record = cifar_record({0}, 0);
    record[1 + 1024 + 2 * 32 + 5] = 77;  // green, row 2, column 5
    const auto data = cifar(record, 10).value();
    EXPECT_EQ(data.images.samples[(2 * 32 + 5) * 3 + 1], 77);
    EXPECT_EQ(std::ranges::count(data.images.samples, 77), 1);
}

TEST(Cifar, TakesTheLabelThatFitsTheModel) {
    const auto content = cifar_record({7, 42}, 0) + cifar_record({8, 43}, 0);
    EXPECT_THAT(cifar(content, 100).value().labels, ElementsAre(42, 43));
    EXPECT_THAT(cifar(content, 20).value().labels, ElementsAre(7, 8));
    EXPECT_EQ(
        cifar(content, 10).error().message,
        "c.bin: records of CIFAR-100, which have 20 coarse and 100 fine labels; the model has 10 classes");
}

TEST(Cifar, RefusesASizeOfBothForms) {
    const std::string content(3073u * 3074u, '\0');
    EXPECT_EQ(cifar(content, 10).error().message, "c.bin: its size fits records of CIFAR-10 and of CIFAR-100");
}

TEST(Cifar, RefusesBrokenFiles) {
    auto content = cifar_record({3}, 10);
    EXPECT_EQ(cifar(content, 3).error().message, "c.bin: image 0 has label 3; the model has 3 classes");
    content.pop_back();
    EXPECT_EQ(cifar(content, 10).error().message,
              "c.bin: 3,072 bytes, not a multiple of a CIFAR record (3,073 or 3,074 bytes)");
    EXPECT_EQ(cifar(content, 10).error().kind, ErrorKind::malformed);
    EXPECT_FALSE(cifar("", 10).ok());
}

TEST(Cifar, RefusesAnotherModelAndTooManyImages) {
    const auto content = cifar_record({3}, 10);
    EXPECT_EQ(cifar(content, 10, {.channels = 3, .height = 28, .width = 28}).error().message,
              "c.bin: 32 x 32 pixels; the model takes 28 x 28");
    EXPECT_EQ(cifar(content, 10, {.channels = 1, .height = 32, .width = 32}).error().message,
              "c.bin: CIFAR images have colors; the model takes gray ones");
    EXPECT_EQ(cifar(content + content, 10, {.channels = 3, .height = 32, .width = 32}, 4000).error().message,
              "c.bin: 2 images of 3,072 bytes take more than 4,000 bytes");
}

constexpr Geometry kGray{.channels = 1, .height = 2, .width = 3};

Result<LabeledImages> idx(const std::string& images, const std::string& labels,
                          const Geometry& geometry = kGray, std::size_t classes = 10,
                          std::uint64_t most_bytes = kRoom) {
    auto data = empty_set(classes, geometry);
    const formats::MemorySource first("i", std::as_bytes(std::span(images)));
    const formats::MemorySource second("l", std::as_bytes(std::span(labels)));
    MODELSEAL_TRY(append_idx(first, second, most_bytes, data));
    return data;
}

const std::string kImages = idx_images(2, 2, 3, "abcdefghijkl"), kLabels = idx_labels(2, "\x07\x02");

TEST(Idx, IsReadPlainAndPacked) {
    for (const auto& images : {kImages, test::gzip(kImages)}) {
        for (const auto& labels : {kLabels, test::gzip(kLabels)}) {
            const auto data = idx(images, labels).value();
            EXPECT_THAT(data.labels, ElementsAre(7, 2));
            EXPECT_EQ(data.images.count(), 2u);
            EXPECT_THAT(data.images.image(1), ElementsAre('g', 'h', 'i', 'j', 'k', 'l'));
            EXPECT_TRUE(is_idx_images(formats::MemorySource("i", std::as_bytes(std::span(images)))));
            EXPECT_FALSE(is_idx_images(formats::MemorySource("l", std::as_bytes(std::span(labels)))));
        }
    }
}

TEST(Idx, BecomesRgbForAModelOfColors) {
    const auto data = idx(kImages, kLabels, {.channels = 3, .height = 2, .width = 3}).value();
    EXPECT_EQ(data.images.count(), 2u);
    EXPECT_THAT(data.images.image(1).first(6), ElementsAre('g', 'g', 'g', 'h', 'h', 'h'));
}

TEST(Idx, RefusesEveryCutFileAndMoreBytes) {
    for (const bool packed : {false, true}) {
        const auto images = packed ? test::gzip(kImages) : kImages,
                   labels = packed ? test::gzip(kLabels) : kLabels;
        for (std::size_t size = 0; size < images.size(); ++size) {
            const auto refused = idx(images.substr(0, size), labels);
            ASSERT_FALSE(refused.ok()) << size;
            EXPECT_EQ(refused.error().kind, ErrorKind::malformed);
        }
        for (std::size_t size = 0; size < labels.size(); ++size)
            ASSERT_FALSE(idx(images, labels.substr(0, size)).ok()) << size;
        EXPECT_EQ(idx(images + "x", labels).error().message, "i: bytes after the end of the data");
        EXPECT_EQ(idx(images, labels + "x").error().message, "l: bytes after the end of the data");
    }
    EXPECT_EQ(idx(test::gzip(kImages + "x"), kLabels).error().message, "i: bytes after the end of the data");
}

TEST(Idx, RefusesDamagedGzip) {
    auto packed = test::gzip(kImages);
    packed[packed.size() - 6] ^= 1;  // the checksum
    EXPECT_EQ(idx(packed, kLabels).error().message, "i: corrupt gzip data");
}

TEST(Idx, RefusesNumbersThatDoNotFit) {
    EXPECT_EQ(idx(kImages, idx_labels(3, "\x01\x02\x03")).error().message, "l: 3 labels for 2 images");
    EXPECT_EQ(idx(kImages, kLabels, kGray, 7).error().message,
              "l: image 0 has label 7; the model has 7 classes");
    EXPECT_EQ(idx(kLabels, kLabels).error().message, "i: not an IDX file of images");
    EXPECT_EQ(idx(kImages, kImages).error().message, "l: not an IDX file of labels");
    EXPECT_EQ(idx(kImages, kLabels, {.channels = 1, .height = 28, .width = 28}).error().message,
              "i: 3 x 2 pixels; the model takes 28 x 28");
    EXPECT_EQ(idx(kImages, kLabels, kGray, 10, 11).error().message,
              "i: 2 images of 6 bytes take more than 11 bytes");
}

// Neither the header of a small file nor that of a packed one makes the reader take gigabytes.
TEST(Idx, ComparesTheHeaderWithTheFile) {
    const auto claim = idx_images(100'000'000, 2, 3, "");
    EXPECT_EQ(idx(claim, idx_labels(100'000'000, "")).error().message,
              "i: the file ends early: its header states 100,000,000 images");
    EXPECT_THAT(idx(test::gzip(claim), kLabels).error().message, HasSubstr("ends early"));
}

}  // namespace
}  // namespace modelseal::images
