#include "images/data_set.h"

#include <filesystem>
#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "images/class_folders.h"
#include "images/key_images.h"
#include "tests/support/data.h"
#include "tests/support/jpeg_builder.h"
#include "tests/support/picture_files.h"
#include "tests/support/scratch.h"

namespace modelseal::images {
namespace {

using test::cifar_record;
using test::numbered_picture;
using test::png_text;
using test::Scratch;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Geometry kColors{.channels = 3, .height = 4, .width = 5};
constexpr Geometry kCifar{.channels = 3, .height = 32, .width = 32};

Result<LabeledImages> read(const std::filesystem::path& path, std::size_t classes,
                           const Geometry& geometry = kColors) {
    return read_data_set(path, {.geometry = geometry, .classes = classes});
}

std::string message(const std::filesystem::path& path, std::size_t classes,
                    const Geometry& geometry = kColors) {
    const auto data = read(path, classes, geometry);
    return data.ok() ? "" : data.error().message;
}

// Two classes, of two pictures and one.
void write_classes(const Scratch& scratch) {
    scratch.write("d/dog/b.png", png_text(numbered_picture(5, 4, 3, 2)));
    scratch.write("d/cat/z.png", png_text(numbered_picture(5, 4, 3, 1)));
    scratch.write("d/cat/a.png", png_text(numbered_picture(5, 4, 3, 0)));
}

TEST(DataSet, ReadsAFolderForEachClassInOrderOfNames) {
    const Scratch scratch;
    write_classes(scratch);
    for (const auto* ignored :
         {"d/.DS_Store", "d/cat/Thumbs.db", "d/cat/.hidden.png", "d/notes.txt", "d/dog/list.csv",
          "d/.cache/x.png", "d/__MACOSX/cat/a.png", "d/cat/desktop.ini"}) {
        scratch.write(ignored, "no picture");
    }
    const auto data = read(scratch / "d", 2);
    ASSERT_TRUE(data.ok()) << data.error().message;
    EXPECT_THAT(data->labels, ElementsAre(0, 0, 1));
    for (std::uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(data->images.picture(i).samples, numbered_picture(5, 4, 3, i).samples);
    }
    EXPECT_EQ(data->images.origin(1), (scratch / "d/cat/z.png").string());
}

TEST(DataSet, OrdersNumbersAsNumbers) {
    EXPECT_THAT(in_order_of_classes({"10", "9", "00"}).value(), ElementsAre("00", "9", "10"));
    EXPECT_THAT(in_order_of_classes({"10", "9", "a"}).value(), ElementsAre("10", "9", "a"));
    EXPECT_EQ(in_order_of_classes({"1", "2", "01"}).error().message,
              "the folders '01' and '1' have the same number");
}

TEST(DataSet, ReadsJpegAndGrayAsTheModelTakesThem) {
    const Scratch scratch;
    const auto gray = numbered_picture(5, 4, 1, 0);
    scratch.write("d/0/a.png", png_text(gray));
    scratch.write("d/1/nested/a.JPG", test::content_text(test::jpeg_of(numbered_picture(5, 4, 3, 0), 95)));
    const auto data = read(scratch / "d", 2).value();
    EXPECT_EQ(data.images.samples[3], gray.samples[1]);
    EXPECT_EQ(data.images.samples[5], gray.samples[1]);
    EXPECT_EQ(data.images.count(), 2u);
    // Colors are refused for a gray model, and taken if they are gray.
    constexpr Geometry kGrayModel{.channels = 1, .height = 4, .width = 5};
    EXPECT_THAT(message(scratch / "d", 2, kGrayModel),
                HasSubstr("d/1/nested/a.JPG: a picture with colors; the model takes gray ones"));
    scratch.write(
        "d/1/nested/a.JPG",
        png_text({.width = 5, .height = 4, .channels = 3, .samples = std::vector<std::uint8_t>(60, 9)}));
    EXPECT_EQ(read(scratch / "d", 2, kGrayModel).value().images.samples[20], 9);
}

TEST(DataSet, RefusesFoldersThatDoNotFitTheModel) {
    const Scratch scratch;
    write_classes(scratch);
    EXPECT_THAT(message(scratch / "d", 3), HasSubstr("d/: 2 class folders; the model has 3 classes"));
    EXPECT_THAT(message(scratch / "d", 2, {.channels = 3, .height = 5, .width = 5}),
                HasSubstr("d/cat/a.png: 5 x 4 pixels; the model takes 5 x 5"));
    std::filesystem::create_directory(scratch / "d/emu");
    EXPECT_THAT(message(scratch / "d", 3), HasSubstr("d/emu: a class without images"));
    scratch.write("d/emu/a.txt", "a note");
    EXPECT_THAT(message(scratch / "d", 3), HasSubstr("d/emu: a class without images"));
    scratch.write("d/emu/a.ppm", "P6");
    EXPECT_THAT(message(scratch / "d", 3), HasSubstr("d/emu/a.ppm: neither a PNG nor a JPEG picture"));
    scratch.write("d/loose.png", png_text(numbered_picture(5, 4, 3, 0)));
    EXPECT_THAT(message(scratch / "d", 3), HasSubstr("d/loose.png: a picture next to the folders of classes"));
}

TEST(DataSet, NamesDamagedPictures) {
    const Scratch scratch;
    write_classes(scratch);
    scratch.write("d/dog/b.png", png_text(numbered_picture(5, 4, 3, 2)).substr(0, 60));
    EXPECT_THAT(message(scratch / "d", 2), HasSubstr("d/dog/b.png: not a sound PNG picture"));
    scratch.write("d/dog/b.png", "");
    EXPECT_THAT(message(scratch / "d", 2), HasSubstr("d/dog/b.png: neither a PNG nor a JPEG"));
}

TEST(DataSet, FollowsNoLinks) {
    const Scratch scratch;
    write_classes(scratch);
    std::filesystem::create_symlink("/etc/passwd", scratch / "d/dog/c.png");
    EXPECT_THAT(message(scratch / "d", 2), HasSubstr("d/dog/c.png: is a symbolic link"));
    std::filesystem::remove(scratch / "d/dog/c.png");
    std::filesystem::create_directory_symlink("/etc", scratch / "d/etc");
    EXPECT_THAT(message(scratch / "d", 3), HasSubstr("d/etc: is a symbolic link"));
    // The data set itself may be one.
    std::filesystem::remove(scratch / "d/etc");
    std::filesystem::create_directory_symlink(scratch / "d", scratch / "link");
    EXPECT_TRUE(read(scratch / "link", 2).ok());
}

TEST(DataSet, IsCapped) {
    const Scratch scratch;
    write_classes(scratch);
    const auto refused = read_data_set(scratch / "d", {.geometry = kColors, .classes = 2, .most_bytes = 179});
    EXPECT_THAT(refused.error().message, HasSubstr("3 images of 60 bytes take more than 179 bytes"));
    EXPECT_TRUE(read_data_set(scratch / "d", {.geometry = kColors, .classes = 2, .most_bytes = 180}).ok());
}

TEST(DataSet, ReadsCifarFilesWithoutTheTestSet) {
    const Scratch scratch;
    scratch.write("d/data_batch_2.bin", cifar_record({2}, 20));
    scratch.write("d/data_batch_1.bin", cifar_record({1}, 10) + cifar_record({3}, 30));
    scratch.write("d/test_batch.bin", cifar_record({9}, 90));
    scratch.write("d/batches.meta.txt", "airplane\n");
    const auto data = read(scratch / "d", 10, kCifar).value();
    EXPECT_THAT(data.labels, ElementsAre(1, 3, 2));
    EXPECT_EQ(data.images.origin(2), (scratch / "d/data_batch_2.bin").string() + ": image 0");
    EXPECT_THAT(read(scratch / "d/data_batch_1.bin", 10, kCifar).value().labels, ElementsAre(1, 3));
    EXPECT_EQ(message(scratch / "d/test_batch.bin", 10, kCifar),
              (scratch / "d/test_batch.bin").string() +
                  ": all images have label 9; a data set has at least two classes");
    // A link that the caller gives is followed.
    std::filesystem::create_symlink(scratch / "d/data_batch_1.bin", scratch / "link.bin");
    EXPECT_TRUE(read(scratch / "link.bin", 10, kCifar).ok());
}

void write_pair(const Scratch& scratch, const std::string& prefix, const std::string& labels,
                const std::string& ending = "") {
    const auto images = test::idx_images(2, 4, 5, std::string(40, 'x')), text = test::idx_labels(2, labels);
    scratch.write(prefix + "-images-idx3-ubyte" + ending, ending.empty() ? images : test::gzip(images));
    scratch.write(prefix + "-labels-idx1-ubyte" + ending, ending.empty() ? text : test::gzip(text));
}

TEST(DataSet, ReadsTheTrainingPairOfAFolder) {
    const Scratch scratch;
    write_pair(scratch, "d/t10k", "\x05\x06");
    EXPECT_THAT(read(scratch / "d", 10).value().labels, ElementsAre(5, 6));
    write_pair(scratch, "d/other", "\x07\x08");
    EXPECT_THAT(message(scratch / "d", 10),
                HasSubstr("'other-images-idx3-ubyte' and 't10k-images-idx3-ubyte' are both files of images"));
    write_pair(scratch, "d/train", "\x01\x02", ".gz");
    EXPECT_THAT(read(scratch / "d", 10).value().labels, ElementsAre(1, 2));
    write_pair(scratch, "d/train", "\x03\x04");  // the same files unpacked, as far as names go
    EXPECT_THAT(read(scratch / "d", 10).value().labels, ElementsAre(3, 4));
    EXPECT_THAT(read(scratch / "d/t10k-images-idx3-ubyte", 10).value().labels, ElementsAre(5, 6));
    std::filesystem::remove(scratch / "d/train-labels-idx1-ubyte");
    EXPECT_THAT(message(scratch / "d", 10), HasSubstr("d/train-labels-idx1-ubyte: "));
    scratch.write("e/pictures", test::idx_images(2, 4, 5, std::string(40, 'x')));
    EXPECT_THAT(message(scratch / "e", 10),
                HasSubstr("e/pictures: the labels of these images cannot be found"));
}

TEST(DataSet, RefusesWhatIsNotOne) {
    const Scratch scratch;
    std::filesystem::create_directory(scratch / "empty");
    EXPECT_THAT(message(scratch / "empty", 2), HasSubstr("contains no data set"));
    scratch.write("flat/a.png", png_text(numbered_picture(5, 4, 3, 0)));
    EXPECT_THAT(message(scratch / "flat", 2), HasSubstr("contains pictures without folders of classes"));
    scratch.write("weights.bin", "0123456789");
    EXPECT_THAT(message(scratch / "weights.bin", 2), HasSubstr("weights.bin: not a data set"));
    EXPECT_THAT(message(scratch / "none", 2), HasSubstr("not found"));
    write_pair(scratch, "zero/train", "\x03\x03");
    EXPECT_THAT(message(scratch / "zero", 10), HasSubstr("all images have label 3"));
    scratch.write("zero/train-images-idx3-ubyte", test::idx_images(0, 4, 5, ""));
    scratch.write("zero/train-labels-idx1-ubyte", test::idx_labels(0, ""));
    EXPECT_THAT(message(scratch / "zero", 10), HasSubstr("contains no images"));
}

TEST(KeyImages, AreReadInOrderOfNames) {
    const Scratch scratch;
    scratch.write("k/b.png", png_text(numbered_picture(5, 4, 3, 1)));
    scratch.write("k/a.png", png_text(numbered_picture(5, 4, 3, 0)));
    scratch.write("k/.DS_Store", "");
    const auto keys = read_key_images(scratch / "k", kColors).value();
    ASSERT_EQ(keys.count(), 2u);
    EXPECT_EQ(keys.picture(0).samples, numbered_picture(5, 4, 3, 0).samples);
    EXPECT_EQ(keys.origin(1), (scratch / "k/b.png").string());
}

TEST(KeyImages, RefusesFoldersThatAreNotOfKeys) {
    const Scratch scratch;
    const auto said = [&](const char* name) {
        return read_key_images(scratch / name, kColors).error().message;
    };
    std::filesystem::create_directory(scratch / "k");
    EXPECT_EQ(said("k"), (scratch / "k/").string() + ": contains no pictures");
    scratch.write("k/a.png", png_text(numbered_picture(5, 4, 3, 0)));
    scratch.write("k/b.png", png_text(numbered_picture(5, 4, 3, 0)));
    EXPECT_EQ(said("k"), fmt::format("{}: the same picture as {}", (scratch / "k/b.png").string(),
                                     (scratch / "k/a.png").string()));
    scratch.write("k/b.png", png_text(numbered_picture(4, 5, 3, 0)));
    EXPECT_THAT(said("k"), HasSubstr("k/b.png: 4 x 5 pixels; the model takes 5 x 4"));
    scratch.write("k/sub/a.png", "");
    EXPECT_THAT(said("k"), HasSubstr("k/sub: a folder among the key images"));
    std::filesystem::create_directory(scratch / "l");
    std::filesystem::create_symlink(scratch / "k/a.png", scratch / "l/a.png");
    EXPECT_THAT(said("l"), HasSubstr("l/a.png: is a symbolic link"));
    EXPECT_THAT(said("none"), HasSubstr("not found"));
}

TEST(KeyImages, AreNotInTheTrainingData) {
    const Scratch scratch;
    write_classes(scratch);
    scratch.write("k/own.png", png_text(numbered_picture(5, 4, 3, 9)));
    const auto data = read(scratch / "d", 2).value();
    EXPECT_TRUE(require_unknown(read_key_images(scratch / "k", kColors).value(), data.images).ok());
    scratch.write("k/taken.png", png_text(numbered_picture(5, 4, 3, 1)));
    EXPECT_EQ(require_unknown(read_key_images(scratch / "k", kColors).value(), data.images).error().message,
              fmt::format("{}: the same picture as {} in the training data", (scratch / "k/taken.png").string(),
                          (scratch / "d/cat/z.png").string()));
}

struct Published {
    const char* name;
    Geometry geometry;
    std::size_t classes, images;
    std::int64_t first, last;  // labels
    std::uint64_t sum;         // of all samples, counted by another program
};

TEST(DataSet, ReadsPublishedOnes) {
    MODELSEAL_NEED_DATA();
    constexpr Geometry kMnist{.channels = 1, .height = 28, .width = 28};
    const Published table[] = {{"cifar10", kCifar, 10, 10'000, 4, 4, 3'707'556'406},
                               {"gtsrb", kCifar, 43, 4'000, 29, 18, 1'000'345'884},
                               {"mnist", kMnist, 10, 20'000, 5, 2, 526'107'050},
                               {"fashion-mnist", kMnist, 10, 20'000, 9, 4, 1'142'624'448}};
    for (const auto& [name, geometry, classes, count, first, last, sum] : table) {
        const auto folder = test::data_folder() / "datasets" / name;
        if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no data set at " << folder;
        const auto data = read(folder, classes, geometry);
        ASSERT_TRUE(data.ok()) << data.error().message;
        EXPECT_EQ(data->images.count(), count);
        EXPECT_EQ(data->labels.front(), first);
        EXPECT_EQ(data->labels.back(), last);
        const auto& samples = data->images.samples;
        EXPECT_EQ(std::accumulate(samples.begin(), samples.end(), std::uint64_t{0}), sum);
    }
}

}  // namespace
}  // namespace modelseal::images
