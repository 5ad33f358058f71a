#include "mark/weight_scan.h"

#include <array>
#include <atomic>
#include <vector>

#include <gtest/gtest.h>

#include "hash/block_hasher.h"
#include "tests/support/memory_model.h"
#include "tests/support/models/small_models.h"
#include <modelseal/progress.h>

namespace modelseal::mark {
namespace {

// Hashes only when asked for the digests, as another processor may; `broken`: fails then.
class LateHasher final : public hash::BlockHasher {
  public:
    explicit LateHasher(bool broken = false) : broken_(broken) {}
    std::size_t batch_bytes() const override { return 100'000; }
    unsigned batches() const override { return 3; }
    Result<std::unique_ptr<hash::Batch>> make_batch(std::size_t bytes, std::size_t blocks) const override {
        return std::unique_ptr<hash::Batch>(std::make_unique<LateBatch>(bytes, blocks, broken_));
    }

  private:
    class LateBatch final : public hash::Batch {
      public:
        LateBatch(std::size_t bytes, std::size_t blocks, bool broken)
            : batch_(hash::processor().make_batch(bytes, blocks).value()), broken_(broken) {}
        std::span<std::byte> buffer() override { return batch_->buffer(); }
        void start(std::byte prefix, std::span<const hash::Block> blocks) override {
            prefix_ = prefix;
            blocks_.assign(blocks.begin(), blocks.end());
        }
        Result<std::span<const crypto::Digest>> finish() override {
            if (broken_) return Error{ErrorKind::unreadable, "the card fell off the bus", {}};
            batch_->start(prefix_, blocks_);
            return batch_->finish();
        }

      private:
        std::unique_ptr<hash::Batch> batch_;
        const bool broken_;
        std::byte prefix_{};
        std::vector<hash::Block> blocks_;
    };
    const bool broken_;
};

constexpr std::array<std::byte, 32> kSecret{std::byte{9}};

class ScannedWeights : public testing::Test {
  protected:
    std::string file_ = test::safetensors_file({{"bias", "F32", {3}, test::float_weights(3, 1)},
                                                {"large", "F32", {300, 301}, test::float_weights(90'300, 2)},
                                                {"codes", "I8", {256, 129}, test::integer_weights(33'024, 3)}});
    model::Model model_ = test::memory_model("m", std::as_bytes(std::span(file_))).value();
    BlockMap block_map_{model_.tensors};
    CellMap cells_{block_map_, kSecret, {.carrier_class = 1, .rate_step = 30}};

    Result<WeightScan> scan(const Pass& pass) {
        return scan_weights(model_, block_map_, cells_, pass, no_progress());
    }
};

// The tree by its definition: a node has 16 block digests, a tensor its nodes.
TEST_F(ScannedWeights, ChecksAreTheFirstBytesOfBlockDigests) {
    const auto result = scan({.jobs = 1}).value();
    crypto::Sha256 hash;
    std::vector<std::byte> block;
    std::size_t without_cell = 0;
    for (std::size_t tensor = 0; tensor < model_.tensors.size(); ++tensor) {
        for (std::uint64_t i = 0; i < block_map_.blocks(tensor); ++i) {
            if (cells_.find(tensor, i)) continue;
            ASSERT_TRUE(read_block(model_, block_map_, tensor, i, block).ok());
            EXPECT_EQ(result.checks[block_map_.first_block(tensor) + i],
                      check_value(plain_digest(hash, block), Version::two));
            ++without_cell;
        }
    }
    EXPECT_GT(without_cell, 20u);
}

TEST_F(ScannedWeights, IsTheSameWithAnyHasherAndAnyNumberOfThreads) {
    const auto once = scan({.jobs = 1}).value();
    const LateHasher late;
    for (const unsigned jobs : {1u, 2u, 5u}) {
        for (const auto* hasher :
             {static_cast<const hash::BlockHasher*>(nullptr), static_cast<const hash::BlockHasher*>(&late)}) {
            const auto again = scan({.jobs = jobs, .hasher = hasher}).value();
            EXPECT_EQ(again.checks, once.checks);
            EXPECT_EQ(again.tensors, once.tensors);
            EXPECT_EQ(weights_root(again), weights_root(once));
        }
    }
}

TEST_F(ScannedWeights, ReportsWhyAHasherFailed) {
    const LateHasher broken(true);
    const auto result = scan({.jobs = 2, .hasher = &broken});
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().message, "the card fell off the bus");
}

TEST_F(ScannedWeights, AdvancesByEachByteOnce) {
    struct Counter final : Progress {
        void total(std::uint64_t) override {}
        void advance(std::uint64_t bytes) override { sum += bytes; }
        std::atomic<std::uint64_t> sum = 0;
    } counter;
    ASSERT_TRUE(scan_weights(model_, block_map_, cells_, {.jobs = 2}, counter).ok());
    EXPECT_EQ(counter.sum, 3u * 4 + 90'300u * 4 + 33'024u);
}

}  // namespace
}  // namespace modelseal::mark
