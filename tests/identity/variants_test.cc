#include "identity/variants.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/batches.h"
#include "identity/measure.h"

namespace modelseal::identity {
namespace {

using Samples = std::vector<std::uint8_t>;

constexpr images::Geometry kColors{.channels = 3, .height = 9, .width = 7};

Samples slope() {
    Samples image;
    for (std::size_t i = 0; i < kColors.samples(); ++i)
        image.push_back(static_cast<std::uint8_t>(100 + i / 3 % 7 * 2));
    return image;
}

TEST(Variant, IsMild) {
    const auto image = slope();
    auto random = Seed(1).stream(Purpose::variants);
    std::size_t unchanged = 0;
    for (int i = 0; i < 800; ++i) {
        const auto variant = variant_of(image, kColors, random);
        ASSERT_EQ(variant.size(), image.size());
        unchanged += variant == image;
        for (std::size_t j = 0; j < image.size(); ++j) {
            // 2 by a shift, 14 by noise, 8 by brightness.
            EXPECT_LE(std::abs(int{variant[j]} - int{image[j]}), 24);
        }
    }
    EXPECT_GT(unchanged, 80u);
    EXPECT_LT(unchanged, 140u);
}

TEST(Variant, FollowsFromTheStream) {
    const auto image = slope();
    const auto draw = [&](std::uint64_t seed) {
        auto random = Seed(seed).stream(Purpose::variants);
        std::vector<Samples> variants;
        for (int i = 0; i < 20; ++i) variants.push_back(variant_of(image, kColors, random));
        return variants;
    };
    EXPECT_EQ(draw(1), draw(1));
    EXPECT_NE(draw(1), draw(2));
}

// One bright pixel in the dark: where it is after a shift, and how far blur spreads it.
TEST(Variant, ShiftsByOnePixelAtMost) {
    const images::Geometry gray{.channels = 1, .height = 9, .width = 9};
    Samples image(81, 0);
    image[4 * 9 + 4] = 200;
    auto random = Seed(1).stream(Purpose::variants);
    std::map<std::size_t, int> brightest;
    for (int i = 0; i < 400; ++i) {
        const auto variant = variant_of(image, gray, random);
        const auto at = static_cast<std::size_t>(std::ranges::max_element(variant) - variant.begin());
        ++brightest[at];
        EXPECT_LE(std::abs(static_cast<int>(at / 9) - 4), 1);
        EXPECT_LE(std::abs(static_cast<int>(at % 9) - 4), 1);
    }
    EXPECT_EQ(brightest.size(), 9u);
}

TEST(Mixtures, LieBetweenTwoImages) {
    images::ImageSet data{.geometry = {.channels = 1, .height = 1, .width = 3},
                          .samples = {0, 0, 0, 100, 200, 250, 9, 9, 9}};
    auto random = Seed(1).stream(Purpose::mixtures);
    const std::vector<std::size_t> of{0, 1};  // not the last
    const auto mixtures = make_mixtures(data, of, 64, random);
    ASSERT_EQ(mixtures.count(), 64u);
    std::set<int> shares;
    for (std::size_t i = 0; i < 64; ++i) {
        const auto made = mixtures.image(i);
        const int share = made[0];  // of the second image, in percent
        EXPECT_TRUE(share >= 30 && share <= 70) << share;
        EXPECT_EQ(made[1], 2 * share);
        EXPECT_NEAR(made[2], 2.5 * share, 0.5);
        shares.insert(share);
    }
    EXPECT_GT(shares.size(), 10u);
}

TEST(Decoys, AreShufflesAndNoise) {
    images::ImageSet keys{.geometry = kColors, .samples = slope()};
    auto random = Seed(1).stream(Purpose::decoys);
    const auto decoys = make_decoys(keys, 9, random);
    ASSERT_EQ(decoys.count(), 9u);
    const auto pixels = [](std::span<const std::uint8_t> image) {
        std::vector<std::array<std::uint8_t, 3>> sorted;
        for (std::size_t i = 0; i < image.size(); i += 3)
            sorted.push_back({image[i], image[i + 1], image[i + 2]});
        std::ranges::sort(sorted);
        return sorted;
    };
    for (std::size_t i = 0; i < 9; ++i) {
        EXPECT_FALSE(std::ranges::equal(decoys.image(i), keys.image(0))) << i;
        EXPECT_EQ(pixels(decoys.image(i)) == pixels(keys.image(0)), i % 3 != 2) << i;
    }
}

TEST(Decoys, OfOneColorAreNoise) {
    images::ImageSet keys{.geometry = kColors, .samples = Samples(kColors.samples(), 50)};
    auto random = Seed(1).stream(Purpose::decoys);
    const auto decoys = make_decoys(keys, 6, random);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_FALSE(std::ranges::equal(decoys.image(i), keys.image(0))) << i;
}

TEST(Margin, IsOfLogProbabilities) {
    EXPECT_DOUBLE_EQ(margin_of(std::vector<float>{1, 5, 2}, 1), 3);
    EXPECT_DOUBLE_EQ(margin_of(std::vector<float>{1, 5, 2}, 0), -4);
    EXPECT_NEAR(margin_of(std::vector<float>{0.25f, 0.5f, 0.25f}, 1), std::log(2.0), 1e-6);
    EXPECT_GT(margin_of(std::vector<float>{0, 1, 0}, 1), 60);
    EXPECT_LT(margin_of(std::vector<float>{1, std::nanf(""), 2}, 2), -1e300);
}

TEST(Label, IsTheLowestOfTheLargest) {
    EXPECT_EQ(label_of(std::vector<float>{1, 5, 5}), 1);
    EXPECT_EQ(label_of(std::vector<float>{1, std::nanf(""), 2}), -1);
    EXPECT_EQ(label_of(std::vector<float>{-3, -std::numeric_limits<float>::infinity()}), 0);
}

}  // namespace
}  // namespace modelseal::identity
