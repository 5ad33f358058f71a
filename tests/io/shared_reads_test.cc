// Two passes that share their reading: the same bytes as from the file, each read once.
#include "io/shared_reads.h"

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "io/threads.h"

namespace modelseal::io {
namespace {

using Side = SharedReads::Side;

// A file of pseudo-random bytes that counts what is read of it.
class CountingSource final : public Source {
  public:
    explicit CountingSource(std::uint64_t size) : bytes_(size) {
        std::mt19937_64 random(7);
        for (std::size_t at = 0; at < bytes_.size(); at += sizeof(std::uint64_t)) {
            const std::uint64_t word = random();
            std::memcpy(&bytes_[at], &word, std::min(sizeof word, bytes_.size() - at));
        }
    }
    const std::string& name() const override { return name_; }
    std::uint64_t size() const override { return bytes_.size(); }
    Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
        if (offset > size() || out.size() > size() - offset || (broken_ && offset >= *broken_)) {
            return Error{ErrorKind::unreadable, "counting: cut short", {}};
        }
        std::memcpy(out.data(), bytes_.data() + offset, out.size());
        total += out.size();
        return {};
    }
    void break_from(std::uint64_t offset) { broken_ = offset; }
    std::span<const std::byte> bytes() const { return bytes_; }

    mutable std::atomic<std::uint64_t> total = 0;

  private:
    std::string name_ = "counting";
    std::vector<std::byte> bytes_;
    std::optional<std::uint64_t> broken_;
};

// memcmp(), for these are gigabytes.
bool differ(std::span<const std::byte> piece, std::span<const std::byte> file) {
    return std::memcmp(piece.data(), file.data(), piece.size()) != 0;
}

// Reads all of `view` in pieces of `step` on some threads, and returns the number of wrong ones.
std::uint64_t read_all(const Source& view, const CountingSource& file, std::uint64_t step, unsigned threads) {
    std::atomic<std::uint64_t> wrong = 0;
    const auto done =
        parallel_for((file.size() + step - 1) / step, threads, [&](std::size_t i, unsigned) -> Result<void> {
            std::vector<std::byte> piece(std::min(step, file.size() - i * step));
            MODELSEAL_TRY(view.read(i * step, piece));
            wrong += differ(piece, file.bytes().subspan(i * step));
            return {};
        });
    return done.ok() ? wrong.load() : ~std::uint64_t{0};
}

TEST(SharedReads, ReadEachByteOnceForTwoPasses) {
    const CountingSource file((100u << 20) + 12'345);
    SharedReads shared;
    const auto a = shared.view(file, Side::first), b = shared.view(file, Side::second);
    std::uint64_t wrong_a = 0, wrong_b = 0;
    {
        const std::jthread one([&] {
            const FinishesSide finishes(shared, Side::first);
            wrong_a = read_all(*a, file, 512u << 10, 1);
        });
        const FinishesSide finishes(shared, Side::second);
        wrong_b = read_all(*b, file, 300'000, 3);
    }
    EXPECT_EQ(wrong_a, 0u);
    EXPECT_EQ(wrong_b, 0u);
    EXPECT_LE(file.total, file.size() + (128u << 10)) << "the short read at the end is not shared";
}

TEST(SharedReads, AloneReadToTheEndAfterTheOtherSideIsFinished) {
    const CountingSource file(50u << 20);
    SharedReads shared;
    const auto a = shared.view(file, Side::first);
    shared.finish(Side::second);
    EXPECT_EQ(read_all(*a, file, 1u << 20, 2), 0u);
}

TEST(SharedReads, GiveTheSameBytesInOppositeOrders) {
    const CountingSource file(170u << 20);
    SharedReads shared;
    const auto a = shared.view(file, Side::first), b = shared.view(file, Side::second);
    std::uint64_t wrong = 0;
    const auto backwards = [&] {
        const FinishesSide finishes(shared, Side::second);
        std::vector<std::byte> piece(1u << 20);
        for (auto at = file.size(); at > 0;) {
            at -= piece.size();
            if (!b->read(at, piece)) return;
            wrong += differ(piece, file.bytes().subspan(at));
        }
    };
    {
        const std::jthread other(backwards);
        const FinishesSide finishes(shared, Side::first);
        EXPECT_EQ(read_all(*a, file, 1u << 20, 2), 0u);
    }
    EXPECT_EQ(wrong, 0u);
}

TEST(SharedReads, PassOnErrorsOfTheFile) {
    CountingSource file(8u << 20);
    file.break_from(5u << 20);
    SharedReads shared;
    const auto a = shared.view(file, Side::first);
    shared.finish(Side::second);
    std::vector<std::byte> piece(1u << 20);
    EXPECT_TRUE(a->read(0, piece).ok());
    EXPECT_EQ(a->read(6u << 20, piece).error().message, "counting: cut short");
    EXPECT_FALSE(a->read((7u << 20) + 1, piece).ok()) << "behind its end";
    EXPECT_FALSE(a->read(~std::uint64_t{0}, piece).ok());
}

}  // namespace
}  // namespace modelseal::io
