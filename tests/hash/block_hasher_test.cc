#include "hash/block_hasher.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace modelseal::hash {
namespace {

constexpr std::byte kPrefix{1};

crypto::Digest expected(std::span<const std::byte> block) {
    crypto::Sha256 hash;
    return hash.update(std::span(&kPrefix, 1)).update(block).finish();
}

void fill(std::span<std::byte> bytes) {
    std::mt19937 generator(7);
    for (auto& byte : bytes) byte = static_cast<std::byte>(generator() >> 24);
}

TEST(Processor, DigestsBlocksOfAllLengthsAroundPadding) {
    const auto batch = processor().make_batch(300, 201).value();
    fill(batch->buffer());
    std::vector<Block> blocks;
    for (std::size_t bytes = 0; bytes <= 200; ++bytes) blocks.push_back({bytes % 100, bytes});
    batch->start(kPrefix, blocks);
    const auto digests = batch->finish().value();
    ASSERT_EQ(digests.size(), blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(digests[i], expected(batch->buffer().subspan(blocks[i].offset, blocks[i].bytes))) << i;
    }
}

// Neighbors of one length are hashed together.
TEST(Processor, DigestsPairsOfAllLengthsAroundPadding) {
    const auto batch = processor().make_batch(400, 400).value();
    fill(batch->buffer());
    std::vector<Block> blocks;
    for (std::size_t bytes = 0; bytes <= 3 * 64; ++bytes) {
        blocks.push_back({0, bytes});
        blocks.push_back({400 - bytes, bytes});
    }
    batch->start(kPrefix, blocks);
    const auto digests = batch->finish().value();
    ASSERT_EQ(digests.size(), blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(digests[i], expected(batch->buffer().subspan(blocks[i].offset, blocks[i].bytes))) << i;
    }
}

TEST(Processor, DigestsLongBlocks) {
    const auto batch = processor().make_batch(200'000, 3).value();
    fill(batch->buffer());
    const std::vector<Block> blocks = {{0, 65'536}, {100'001, 65'536}, {7, 99'999}};
    batch->start(kPrefix, blocks);
    const auto digests = batch->finish().value();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(digests[i], expected(batch->buffer().subspan(blocks[i].offset, blocks[i].bytes))) << i;
    }
}

TEST(Processor, HasNothingToSayOfNoBlocks) {
    const auto batch = processor().make_batch(0, 0).value();
    batch->start(kPrefix, {});
    EXPECT_TRUE(batch->finish().value().empty());
}

}  // namespace
}  // namespace modelseal::hash
