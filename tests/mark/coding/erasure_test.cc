#include "mark/coding/erasure.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace modelseal::mark {
namespace {

std::vector<std::byte> noise(std::size_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::vector<std::byte> bytes(count);
    for (auto& byte : bytes) byte = static_cast<std::byte>(generator());
    return bytes;
}

// Makes `count` pieces, keeps those of the given order's front, and restores.
std::optional<std::vector<std::byte>> restored(const Erasure& code, const std::vector<std::byte>& bytes,
                                               const std::vector<std::uint64_t>& kept) {
    std::vector<std::vector<std::byte>> made;
    std::vector<Erasure::Piece> pieces;
    for (const auto index : kept) made.push_back(code.piece(bytes, index));
    for (std::size_t i = 0; i < kept.size(); ++i) pieces.push_back({kept[i], made[i]});
    return code.restore(pieces);
}

TEST(Erasure, FirstPiecesAreTheBytesThemselves) {
    const auto bytes = noise(100, 1);
    const Erasure code(bytes.size(), 32);
    ASSERT_EQ(code.data_pieces(), 4u);
    EXPECT_TRUE(std::ranges::equal(code.piece(bytes, 1), std::span(bytes).subspan(32, 32)));
    EXPECT_EQ(code.piece(bytes, 3)[4], std::byte{0});  // padding
}

TEST(Erasure, AnyHalfOfTwiceAsManyPiecesOfOneStripeIsEnough) {
    std::mt19937 generator(5);
    for (unsigned round = 0; round < 100; ++round) {
        const auto bytes = noise(1 + generator() % 2000, round);
        const Erasure code(bytes.size(), 40);
        std::vector<std::uint64_t> order(2 * code.data_pieces());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::ranges::shuffle(order, generator);
        order.resize(code.data_pieces());
        ASSERT_EQ(restored(code, bytes, order), bytes);
        order.pop_back();
        if (!order.empty()) {
            ASSERT_EQ(restored(code, bytes, order), std::nullopt);
        }
    }
}

TEST(Erasure, LongBytesComeBackFromManyStripes) {
    std::mt19937 generator(6);
    const auto bytes = noise(20'000, 3);
    const Erasure code(bytes.size(), 50);
    std::vector<std::uint64_t> kept;
    for (std::uint64_t i = 0; i < 3 * code.data_pieces(); ++i) {
        if (generator() % 2 == 0) kept.push_back(i);
    }
    EXPECT_EQ(restored(code, bytes, kept), bytes);
}

TEST(Erasure, PiecesOfAnotherSizeAreLeftOut) {
    const auto bytes = noise(64, 1);
    const Erasure code(bytes.size(), 32);
    const std::vector<std::byte> odd(31);
    const Erasure::Piece pieces[] = {{0, odd}, {1, odd}};
    EXPECT_EQ(code.restore(pieces), std::nullopt);
}

}  // namespace
}  // namespace modelseal::mark
