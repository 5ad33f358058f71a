#include "hash/processor.h"

#include "hash/sha256_pair.h"

namespace modelseal::hash {

std::span<const crypto::Digest> ProcessorDigests::of(std::span<const std::byte> buffer, std::byte prefix,
                                                     std::span<const Block> blocks) {
    digests_.resize(blocks.size());
    const bool pairs = can_hash_pairs();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const auto& block = blocks[i];
        if (pairs && i + 1 < blocks.size() && blocks[i + 1].bytes == block.bytes) {
            hash_pair(prefix, buffer.data() + block.offset, buffer.data() + blocks[i + 1].offset, block.bytes,
                      digests_[i], digests_[i + 1]);
            ++i;
            continue;
        }
        hash_.update(std::span(&prefix, 1)).update(buffer.subspan(block.offset, block.bytes));
        digests_[i] = hash_.finish();
    }
    return digests_;
}

namespace {

class ProcessorBatch final : public Batch {
  public:
    explicit ProcessorBatch(std::size_t bytes)
        : bytes_(bytes), buffer_(std::make_unique_for_overwrite<std::byte[]>(bytes)) {}

    std::span<std::byte> buffer() override { return {buffer_.get(), bytes_}; }
    void start(std::byte prefix, std::span<const Block> blocks) override {
        done_ = digests_.of(buffer(), prefix, blocks);
    }
    Result<std::span<const crypto::Digest>> finish() override { return done_; }

  private:
    const std::size_t bytes_;
    const std::unique_ptr<std::byte[]> buffer_;
    ProcessorDigests digests_;
    std::span<const crypto::Digest> done_;
};

class Processor final : public BlockHasher {
  public:
    // Of lengths from 64 KiB to 1 MiB all are equally fast.
    std::size_t batch_bytes() const override { return 512u << 10; }
    unsigned batches() const override { return 1; }
    Result<std::unique_ptr<Batch>> make_batch(std::size_t bytes, std::size_t) const override {
        return std::unique_ptr<Batch>(std::make_unique<ProcessorBatch>(bytes));
    }
};

}  // namespace

const BlockHasher& processor() {
    static const Processor processor;
    return processor;
}

}  // namespace modelseal::hash
