// A challenge and its answers: unchanged inputs, in an order that only the key reveals.
#include "blackbox/challenge.h"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <png.h>

#include "blackbox/container/container.h"
#include "formats/npy.h"
#include "io/file.h"
#include "tests/support/files.h"
#include "tests/support/models/small_fingerprint.h"
#include "tests/support/models/small_models.h"
#include "tests/support/scratch.h"

namespace modelseal::blackbox {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// As a program that knows nothing of us reads it: samples of a pixel side by side.
std::vector<std::uint8_t> decode_png(const std::filesystem::path& file, int channels) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_file(&image, file.c_str()) == 0) throw std::runtime_error(image.message);
    image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    std::vector<std::uint8_t> samples(PNG_IMAGE_SIZE(image));
    png_image_finish_read(&image, nullptr, samples.data(), 0, nullptr);
    return samples;
}

class Challenge : public testing::Test {
  protected:
    void use_shape(std::int64_t channels, std::int64_t height, std::int64_t width) {
        made_.input.shape.shape = {channels, height, width};
        const auto elements = made_.input.shape.elements();
        for (auto& path : made_.pairs().paths) {
            path.base.resize(elements);
            path.direction.resize(elements);
            for (std::size_t i = 0; i < elements; ++i) {
                path.base[i] = static_cast<float>(1 + (i * 37) % 254);
                path.direction[i] = static_cast<float>(static_cast<int>(i % 3) - 1);
            }
        }
    }
    void save() {
        const auto bytes = encode(made_, vendor_, key_).value().bytes;
        folder_.write("net.fp", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    ChallengeSummary write() {
        save();
        auto summary = write_challenge(folder_ / "net.fp", key_, folder_ / "challenge");
        if (!summary.ok()) throw std::runtime_error(summary.error().message);
        return *summary;
    }
    std::vector<std::size_t> order() const {
        const auto manifest = json::parse(test::content_of(folder_ / "challenge/manifest.json"));
        const auto hex = manifest["salt"].get<std::string>();
        crypto::Salt salt;
        for (std::size_t i = 0; i < salt.size(); ++i) {
            salt[i] = static_cast<std::byte>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
        }
        return shuffled_order(count_inputs(made_), key_, salt);
    }
    // One row for each file: its row number here, and that plus a half.
    void answer_with_row_numbers() {
        json rows = json::array();
        for (const auto row : order()) {
            const auto number = static_cast<double>(row);
            rows.push_back({number, number + 0.5, 0});
        }
        folder_.write("challenge/responses.json", json{{"outputs", rows}}.dump());
    }

    const SigningKey vendor_ = test::test_key();
    const CheckKey key_ = public_check_key(vendor_.public_key());
    const test::Scratch folder_;
    Fingerprint made_ = test::small_fingerprint();
};

TEST_F(Challenge, OfGrayLevelsIsPicturesThatReadBackBitForBit) {
    for (const std::int64_t channels : {1, 3}) {
        use_shape(channels, 5, 4);
        const test::Scratch another;
        std::filesystem::remove_all(folder_ / "challenge");
        EXPECT_EQ(write().format, "png");
        const auto inputs = *all_inputs(made_);
        const auto rows = order();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto name = "challenge/000" + std::to_string(i + 1) + ".png";
            const auto samples = decode_png(folder_ / name, static_cast<int>(channels));
            ASSERT_EQ(samples.size(), 20u * static_cast<std::size_t>(channels));
            for (std::size_t k = 0; k < samples.size(); ++k) {
                const auto sample = samples[k % 20 * static_cast<std::size_t>(channels) + k / 20];
                ASSERT_EQ(static_cast<float>(made_.input.low + made_.unit * sample),
                          inputs[rows[i] * samples.size() + k]);
            }
        }
    }
}

TEST_F(Challenge, OfOtherInputsIsOneArrayAsTheModelTakesThem) {
    made_.grid = Grid::none;
    made_.input.mean = {0.5f};
    made_.input.std = {0.25f};
    const auto summary = write();
    EXPECT_EQ(summary.format, "npy");
    EXPECT_EQ(summary.inputs, 6u);
    const auto source = io::FileSource::open(folder_ / "challenge/inputs.npy", "inputs.npy");
    const auto array = formats::parse_npy(**source);
    ASSERT_TRUE(array.ok()) << array.error().message;
    EXPECT_EQ(array->shape, (std::vector<std::uint64_t>{6, 2, 3, 3}));
    const auto values = *formats::read_npy_floats(**source, *array);
    auto inputs = *all_inputs(made_);
    normalise(made_.input, inputs);
    const auto rows = order();
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], inputs[rows[i / 18] * 18 + i % 18]);
}

TEST_F(Challenge, AnswersComeBackInTheOrderOfTheRungs) {
    write();
    answer_with_row_numbers();
    const auto answers = answers_of_responses(made_, key_, folder_ / "challenge");
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    ASSERT_EQ(answers->count, 6u);
    for (std::size_t row = 0; row < 6; ++row) {
        EXPECT_EQ(answers->values[3 * row], static_cast<float>(row));
        EXPECT_EQ(answers->values[3 * row + 1], static_cast<float>(row) + 0.5f);
    }
    std::filesystem::remove(folder_ / "challenge/responses.json");
    json labels = json::array();
    for (const auto row : order()) labels.push_back(row);
    folder_.write("challenge/responses.json", json{{"labels", labels}}.dump());
    EXPECT_THAT(answers_of_responses(made_, key_, folder_ / "challenge")->labels,
                testing::ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(Challenge, ManifestDoesNotRevealPairs) {
    write();
    const auto manifest = json::parse(test::content_of(folder_ / "challenge/manifest.json"));
    EXPECT_EQ(manifest["schema"], "modelseal-challenge/1");
    EXPECT_EQ(manifest["fingerprint"].get<std::string>().size(), 64u);
    EXPECT_EQ(manifest["count"], 6);
    EXPECT_EQ(manifest["shape"], json({2, 3, 3}));
    EXPECT_FALSE(manifest.contains("order"));
    EXPECT_THAT(test::content_of(folder_ / "challenge/README.txt"), HasSubstr("responses.npy"));
}

TEST_F(Challenge, OrderFollowsFromKeyAndSalt) {
    const auto salt = crypto::random_salt();
    auto order = shuffled_order(1000, key_, salt);
    EXPECT_EQ(order, shuffled_order(1000, key_, salt));
    EXPECT_NE(order, shuffled_order(1000, key_, crypto::random_salt()));
    EXPECT_NE(order, shuffled_order(1000, test::customer_key(vendor_), salt));
    std::ranges::sort(order);
    std::vector<std::size_t> all(1000);
    std::iota(all.begin(), all.end(), std::size_t{0});
    EXPECT_EQ(order, all);
}

TEST_F(Challenge, AnswersToAnotherFingerprintAreRefused) {
    write();
    answer_with_row_numbers();
    auto other = made_;
    other.pairs().paths[0].base[0] += 1;
    const auto refused = answers_of_responses(other, key_, folder_ / "challenge");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::mismatch);
    EXPECT_THAT(refused.error().message,
                HasSubstr(": the challenge is for another fingerprint, or was made with another key"));
    EXPECT_FALSE(answers_of_responses(made_, test::customer_key(vendor_), folder_ / "challenge").ok());
}

TEST_F(Challenge, AnswersOfAnotherNumberOfClassesAreRefused) {
    write();
    folder_.write("challenge/responses.csv", "1,1,2\n2,1,2\n3,1,2\n4,1,2\n5,1,2\n6,1,2\n");
    EXPECT_THAT(answers_of_responses(made_, key_, folder_ / "challenge").error().message,
                HasSubstr("answer 1 has 2 outputs, but the model has 3 classes"));
}

TEST_F(Challenge, NeedsItsManifest) {
    write();
    answer_with_row_numbers();
    for (const char* text : {"", "{}", "[]", R"({"schema": "modelseal-challenge/2"})",
                             R"({"schema": "modelseal-challenge/1", "count": 6, "salt": "00", "tag": ""})",
                             R"({"schema": "modelseal-challenge/1", "count": -6, "salt": "", "tag": ""})"}) {
        folder_.write("challenge/manifest.json", text);
        EXPECT_FALSE(answers_of_responses(made_, key_, folder_ / "challenge").ok()) << text;
    }
}

TEST_F(Challenge, DoesNotTouchAnExistingFolder) {
    folder_.write("challenge/mine", "precious");
    save();
    EXPECT_FALSE(write_challenge(folder_ / "net.fp", key_, folder_ / "challenge").ok());
    EXPECT_FALSE(write_challenge(folder_ / "net.fp", test::customer_key(vendor_), folder_ / "other").ok());
    EXPECT_EQ(test::files_under(folder_.path()).size(), 2u);
}

}  // namespace
}  // namespace modelseal::blackbox
