// The kernels for graphics cards, compiled for the processor: they give what OpenSSL and the coder of seals compute.
// clang-format off: it comes before the kernels
#include "tests/hash/paper_card.h"
// clang-format on

#include <algorithm>
#include <array>
#include <barrier>
#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "hash/cuda/kernels.h"
#include "hash/cuda/packets.h"
#include "hash/cuda/sha256.h"
#include "mark/coding/wavelet.h"
namespace modelseal::hash::cuda {
namespace {

// As the kernels do it: complete chunks as words, then the end.
crypto::Digest digest_of(std::span<const std::byte> block, unsigned prefix) {
    const auto* at = reinterpret_cast<const unsigned char*>(block.data());
    BlockDigest digest(prefix);
    for (auto left = block.size() / kChunk; left > 0; --left, at += kChunk) {
        std::uint32_t words[16];
        for (int i = 0; i < 16; ++i) {
            words[i] = 0;
            for (int k = 3; k >= 0; --k) words[i] = (words[i] << 8) | at[4 * i + k];
        }
        digest.add(words);
    }
    std::uint32_t words[8];
    digest.finish(at, block.size(), words);
    crypto::Digest out;
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<std::byte>(words[i / 4] >> (24 - 8 * (i % 4)));
    return out;
}

crypto::Digest expected_digest(std::span<const std::byte> block, unsigned prefix) {
    crypto::Sha256 hash;
    const auto first = static_cast<std::byte>(prefix);
    if (prefix != kNoPrefix) hash.update(std::span(&first, 1));
    return hash.update(block).finish();
}

// In buffers of their own, so that a sanitizer sees a byte read too many.
TEST(Sha256Kernel, GivesTheDigestsOfOpenSslForAllLengthsAroundPadding) {
    std::mt19937 generator(5);
    for (std::size_t bytes = 0; bytes <= 3 * 64; ++bytes) {
        std::vector<std::byte> block(bytes);
        for (auto& byte : block) byte = static_cast<std::byte>(generator() >> 24);
        for (const unsigned prefix : {0u, 1u, 0x80u, 0xFFu, kNoPrefix})
            EXPECT_EQ(digest_of(block, prefix), expected_digest(block, prefix)) << bytes << ' ' << prefix;
    }
}

TEST(Sha256Kernel, GivesTheDigestOfALongBlock) {
    std::vector<std::byte> block(65'536 + 5, std::byte{0xA5});
    EXPECT_EQ(digest_of(block, 1), expected_digest(block, 1));
    EXPECT_EQ(digest_of(block, kNoPrefix), expected_digest(block, kNoPrefix));
}

// 32 banks of 4 bytes; loads of 16 bytes are served for eight threads at a time.
TEST(Sha256Kernel, PartsOfAWarpLieInDistinctBanks) {
    std::set<unsigned> all;
    for (unsigned owner = 0; owner < 32; ++owner) {
        for (unsigned part = 0; part < 4; ++part) all.insert(slot_of(owner, part));
    }
    EXPECT_EQ(all.size(), 128u);
    EXPECT_EQ(*all.rbegin(), 127u);
    for (unsigned first = 0; first < 32; first += 8) {
        for (unsigned part = 0; part < 4; ++part) {
            std::set<unsigned> loaded, stored;
            for (unsigned lane = first; lane < first + 8; ++lane) {
                loaded.insert(slot_of(lane, part) % 8);
                stored.insert(slot_of(part * 8 + lane / 4, lane % 4) % 8);
            }
            EXPECT_EQ(loaded.size(), 8u);
            EXPECT_EQ(stored.size(), 8u);
        }
    }
}

struct KernelInput {
    alignas(16) std::array<unsigned char, 60'000> bytes;
    std::vector<Place> places;

    // Blocks of all lengths around padding, and one that is longer than the others of its warp.
    KernelInput() {
        std::mt19937 generator(8);
        for (auto& byte : bytes) byte = static_cast<unsigned char>(generator() >> 24);
        for (std::uint64_t length = 0; length <= 3 * 64; ++length)
            places.push_back({(length * 208 + 16 * (length % 3)) / 16 * 16, length});
        places.push_back({16, 1000});
    }
    std::span<const std::byte> block(const Place& place) const {
        return std::as_bytes(std::span(bytes)).subspan(place.offset, place.bytes);
    }
};

template <class Kernel>
void expect_digests(const KernelInput& input, unsigned prefix, const Kernel& kernel) {
    const auto count = input.places.size();
    alignas(16) std::array<unsigned char, 32 * 256> digests{};
    const auto blocks = static_cast<unsigned>((count + kDigestThreads - 1) / kDigestThreads);
    test::launch(blocks, kDigestThreads, [&] { kernel(Listed{input.places.data(), count}, digests.data()); });
    for (std::size_t i = 0; i < count; ++i) {
        const auto expected = expected_digest(input.block(input.places[i]), prefix);
        EXPECT_EQ(std::memcmp(expected.data(), digests.data() + 32 * i, 32), 0) << i << ' ' << prefix;
    }
}

TEST(DigestKernel, GivesTheDigestsOfOpenSsl) {
    const KernelInput input;
    for (const unsigned prefix : {1u, kNoPrefix}) {
        expect_digests(input, prefix, [&](const Listed& blocks, unsigned char* out) {
            digest_blocks(input.bytes.data(), blocks, prefix, out);
        });
    }
}

TEST(DigestKernel, ForBlocksAnywhereGivesThemAsWell) {
    KernelInput input;
    for (auto& place : input.places) place.offset += place.bytes % 16;
    expect_digests(input, 1, [&](const Listed& blocks, unsigned char* out) {
        digest_unaligned(input.bytes.data(), blocks, 1u, out);
    });
}

TEST(DigestKernel, TakesBlocksOfOneLengthWithoutAList) {
    const KernelInput input;
    constexpr std::uint64_t bytes = 10'001, block_bytes = 208, count = (bytes + block_bytes - 1) / block_bytes;
    alignas(16) std::array<unsigned char, 32 * count> digests{};
    test::launch(1, kDigestThreads, [&] {
        digest_blocks(input.bytes.data(), Even{bytes, block_bytes, count}, 1u, digests.data());
    });
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto offset = i * block_bytes;
        const auto expected = expected_digest(input.block({offset, std::min(block_bytes, bytes - offset)}), 1);
        EXPECT_EQ(std::memcmp(expected.data(), digests.data() + 32 * i, 32), 0) << i;
    }
}

struct Alone {
    unsigned rank() const { return 0; }
    unsigned size() const { return 1; }
    void sync() const {}
};

struct OneOf {
    unsigned number, count;
    std::barrier<>* all;
    unsigned rank() const { return number; }
    unsigned size() const { return count; }
    void sync() const { all->arrive_and_wait(); }
};

std::vector<std::int64_t> signal_of(std::size_t size, std::mt19937_64& generator) {
    std::vector<std::int64_t> signal(size);
    for (auto& value : signal) value = static_cast<std::int64_t>(generator()) >> (generator() % 64);
    return signal;
}

std::vector<std::int64_t> expected_packets(std::vector<std::int64_t> signal, int levels) {
    mark::packets_forward(signal, levels);
    return signal;
}

TEST(PacketKernel, GivesThePacketsOfTheCoderForAllLengths) {
    std::mt19937_64 generator(6);
    for (std::size_t size = 0; size <= 200; ++size) {
        for (int levels = 0; levels <= 6; ++levels) {
            const auto signal = signal_of(size, generator);
            std::vector<std::uint64_t> values(signal.begin(), signal.end()), scratch(size);
            packets_forward(Alone{}, values.data(), scratch.data(), static_cast<unsigned>(size), levels);
            const std::vector<std::int64_t> got(values.begin(), values.end());
            EXPECT_EQ(got, expected_packets(signal, levels)) << size << ' ' << levels;
        }
    }
}

TEST(PacketKernel, GivesThemWithATeamOfThreads) {
    std::mt19937_64 generator(7);
    for (const unsigned count : {2u, 8u}) {
        for (const std::size_t size : {0u, 1u, 31u, 100u, 577u, 1024u}) {
            const auto signal = signal_of(size, generator);
            std::vector<std::uint64_t> values(signal.begin(), signal.end()), scratch(size);
            std::barrier<> all(count);
            std::vector<std::jthread> threads;
            for (unsigned number = 0; number < count; ++number) {
                threads.emplace_back([&, number] {
                    packets_forward(OneOf{number, count, &all}, values.data(), scratch.data(),
                                    static_cast<unsigned>(size), mark::kPacketLevels);
                });
            }
            threads.clear();
            const std::vector<std::int64_t> got(values.begin(), values.end());
            EXPECT_EQ(got, expected_packets(signal, mark::kPacketLevels)) << size << ' ' << count;
        }
    }
}

TEST(PacketKernel, TransformsSignalsInThreadBlocks) {
    std::mt19937_64 generator(9);
    for (const unsigned size : {5u, 577u}) {
        const auto first = signal_of(size, generator), second = signal_of(size, generator);
        std::vector<std::uint64_t> values(first.begin(), first.end());
        values.insert(values.end(), second.begin(), second.end());
        test::launch(2, kPacketThreads, [&] { transform(values.data(), size, mark::kPacketLevels); });
        auto expected = expected_packets(first, mark::kPacketLevels);
        std::ranges::copy(expected_packets(second, mark::kPacketLevels), std::back_inserter(expected));
        EXPECT_EQ(std::vector<std::int64_t>(values.begin(), values.end()), expected);
    }
}

}  // namespace
}  // namespace modelseal::hash::cuda
