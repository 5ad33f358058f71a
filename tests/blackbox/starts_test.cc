// The kinds of pictures from which pairs are searched.
#include "blackbox/pairs/starts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include <gtest/gtest.h>

#include "blackbox/pairs/keyed.h"

namespace modelseal::blackbox {
namespace {

constexpr unsigned kLevels = 513;
const std::vector<std::int64_t> kShape = {3, 20, 30};
constexpr std::size_t kElements = 3 * 20 * 30;

std::vector<float> drawn(StartKind kind, std::uint64_t number = 0) {
    const std::array<std::byte, 32> key{std::byte{5}};
    crypto::Keystream stream(key, number);
    return draw_start(kind, kShape, kLevels, stream);
}

double share_of(const std::vector<float>& picture, float value) {
    return static_cast<double>(std::ranges::count(picture, value)) / static_cast<double>(picture.size());
}

TEST(Starts, AreWholeNumbersOfTheRange) {
    for (std::size_t kind = 0; kind < kStartKinds; ++kind) {
        for (std::uint64_t number = 0; number < 20; ++number) {
            const auto picture = drawn(static_cast<StartKind>(kind), number);
            ASSERT_EQ(picture.size(), kElements);
            for (const float value : picture) {
                ASSERT_EQ(value, std::round(value)) << kind;
                ASSERT_TRUE(value >= 0 && value < static_cast<float>(kLevels)) << kind;
            }
        }
    }
}

TEST(Starts, AreOfTheirKind) {
    constexpr float kTop = kLevels - 1;
    const auto sparse = drawn(StartKind::sparse), binary = drawn(StartKind::binary),
               smooth = drawn(StartKind::smooth);
    EXPECT_NEAR(share_of(sparse, kTop), 0.1, 0.03);
    EXPECT_NEAR(share_of(sparse, 0), 0.9, 0.03);
    EXPECT_NEAR(share_of(binary, kTop), 0.5, 0.05);
    EXPECT_EQ(share_of(binary, 0) + share_of(binary, kTop), 1);
    // A step of a grid of 16 over 30 columns is at most 15 of 29 parts of the range.
    for (std::size_t i = 0; i + 1 < smooth.size(); ++i) {
        if (i % 30 == 29) continue;
        EXPECT_LE(std::abs(smooth[i + 1] - smooth[i]), kTop * 15 / 29 + 1);
    }
    std::set<std::pair<float, float>> ranges;
    for (std::uint64_t number = 0; number < 20; ++number) {
        const auto picture = drawn(StartKind::contrast, number);
        const auto [low, high] = std::ranges::minmax(picture);
        EXPECT_LT(low, high);
        ranges.emplace(low, high);
    }
    EXPECT_GT(ranges.size(), 15u);
}

// The values of one plane of a picture.
std::span<const float> plane_of(const std::vector<float>& picture, std::size_t plane) {
    return std::span(picture).subspan(plane * 20 * 30, 20 * 30);
}

std::size_t levels_of(std::span<const float> values) {
    return std::set<float>(values.begin(), values.end()).size();
}

TEST(Starts, OfWavesAndStripesAreThatInEachPlane) {
    std::set<float> first;
    for (std::uint64_t number = 0; number < 20; ++number) {
        const auto waves = drawn(StartKind::waves, number), stripes = drawn(StartKind::stripes, number);
        for (std::size_t plane = 0; plane < 3; ++plane) {
            EXPECT_LE(levels_of(plane_of(stripes, plane)), 2u);
            // The same numbers are drawn: where one is above its mean, the other is at its upper level.
            const auto [low, high] = std::ranges::minmax(plane_of(stripes, plane));
            for (std::size_t i = 0; i < 20 * 30; ++i) {
                EXPECT_GE(plane_of(waves, plane)[i], low);
                EXPECT_LE(plane_of(waves, plane)[i], high);
            }
        }
        first.insert(waves.front());
    }
    EXPECT_GT(first.size(), 10u);
}

TEST(Starts, OfPatchesHaveTheSameAreasInAllPlanes) {
    for (std::uint64_t number = 0; number < 20; ++number) {
        const auto picture = drawn(StartKind::patches, number);
        std::map<float, std::set<float>> beside;  // what the second plane has where the first has this
        for (std::size_t i = 0; i < 20 * 30; ++i) beside[picture[i]].insert(picture[20 * 30 + i]);
        EXPECT_GT(beside.size(), 1u);
        EXPECT_LT(beside.size(), 100u);
        std::size_t areas = 0;
        for (const auto& [level, others] : beside) areas += others.size();
        EXPECT_LE(areas, beside.size() + 3);  // two patches may have the same level in one plane
    }
}

TEST(Starts, WithEdgesComeThreeTimesOfFour) {
    std::map<StartKind, int> counts;
    for (std::size_t turn = 0; turn < 20; ++turn) ++counts[kind_in_turn(turn)];
    EXPECT_EQ(counts, (std::map<StartKind, int>{{StartKind::waves, 5},
                                                {StartKind::stripes, 5},
                                                {StartKind::patches, 5},
                                                {StartKind::uniform, 1},
                                                {StartKind::sparse, 1},
                                                {StartKind::smooth, 1},
                                                {StartKind::contrast, 1},
                                                {StartKind::binary, 1}}));
}

TEST(Starts, OfShapesWithoutPlanesAreDrawnAsWell) {
    const std::array<std::byte, 32> key{};
    for (const auto& shape : {std::vector<std::int64_t>{7}, {1}, {2, 1, 1}, {4, 1, 9}, {2, 3, 4, 5}}) {
        std::size_t elements = 1;
        for (const auto extent : shape) elements *= static_cast<std::size_t>(extent);
        for (std::size_t kind = 0; kind < kStartKinds; ++kind) {
            crypto::Keystream stream(key, kind);
            EXPECT_EQ(draw_start(static_cast<StartKind>(kind), shape, 256, stream).size(), elements);
        }
    }
}

// Networks from TensorFlow take the colors of an element one after the other.
TEST(Starts, OfColorsThatComeLastAreTheSamePictures) {
    const std::array<std::byte, 32> key{std::byte{3}};
    for (std::size_t kind = 0; kind < kStartKinds; ++kind) {
        crypto::Keystream first(key, kind), last(key, kind);
        const auto planes =
            draw_start(static_cast<StartKind>(kind), std::vector<std::int64_t>{3, 6, 5}, 256, first);
        const auto mixed =
            draw_start(static_cast<StartKind>(kind), std::vector<std::int64_t>{6, 5, 3}, 256, last);
        ASSERT_EQ(mixed.size(), planes.size());
        for (std::size_t at = 0; at < 30; ++at) {
            for (std::size_t color = 0; color < 3; ++color)
                ASSERT_EQ(mixed[3 * at + color], planes[30 * color + at]) << kind;
        }
    }
}

TEST(Starts, FollowFromTheKeyAlone) {
    const Keyed one(Secret32(std::array<std::byte, 32>{std::byte{1}}), std::array<std::byte, 32>{});
    const Keyed two(Secret32(std::array<std::byte, 32>{std::byte{2}}), std::array<std::byte, 32>{});
    for (std::size_t index = 0; index < 2 * kStartKinds; ++index) {
        EXPECT_EQ(one.picture(index, kShape, kLevels), one.picture(index, kShape, kLevels));
        EXPECT_NE(one.picture(index, kShape, kLevels), two.picture(index, kShape, kLevels));
        EXPECT_NE(one.picture(index, kShape, kLevels), one.picture(index + kStartKinds, kShape, kLevels));
    }
}

// The key chooses two different ones for each path.
TEST(Starts, OfTheVendorsPicturesComeEveryOtherTime) {
    const std::vector<std::int64_t> shape = {1, 2, 2};
    const std::vector<std::uint8_t> seeds = {0, 1, 2, 255, 51, 52, 53, 54, 9, 8, 7, 6};
    const std::vector<std::vector<float>> in_levels = {{0, 1, 2, 255}, {51, 52, 53, 54}, {9, 8, 7, 6}};
    const Keyed keyed(Secret32(std::array<std::byte, 32>{std::byte{1}}), std::array<std::byte, 32>{}, seeds);
    std::set<std::vector<float>> seen;
    for (std::size_t index = 0; index < 40; ++index) {
        const auto one = keyed.picture(index, shape, 256), other = keyed.other_picture(index, shape, 256);
        for (const auto& picture : {one, other}) {
            const bool is_seed = std::ranges::find(in_levels, picture) != in_levels.end();
            EXPECT_EQ(is_seed, index % 2 == 1) << index;
            if (is_seed) seen.insert(picture);
        }
        EXPECT_TRUE(index % 2 == 0 || one != other) << index;
    }
    EXPECT_EQ(seen.size(), 3u);
    // Finer levels: 255 is the highest of them, and bytes between are rounded to the next.
    const auto fine = keyed.picture(1, shape, 65536);
    const auto coarse = keyed.picture(1, shape, 256);
    for (std::size_t i = 0; i < fine.size(); ++i) EXPECT_EQ(fine[i], 257 * coarse[i]);
}

}  // namespace
}  // namespace modelseal::blackbox
