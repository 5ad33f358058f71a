// Tries and measures the module for graphics cards on a card:
//     hash_on_card MODULE check [FEW]   compares its digests and packets with those of the same source on the processor, which
//                                       the test program compares with OpenSSL and the coder of seals
//     hash_on_card MODULE table         prints how fast it hashes, as Markdown
// Needs nothing but a C++ compiler, so that it builds on a bare machine.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>

#include "hash/cuda/module.h"
#include "hash/cuda/packets.h"
#include "hash/cuda/sha256.h"

namespace {

using namespace modelseal::hash::cuda;
using Bytes = std::vector<unsigned char>;
using Clock = std::chrono::steady_clock;

const modelseal_cuda_module* calls = nullptr;
int mistakes = 0;

void must(const char* problem) {
    if (problem == nullptr) return;
    std::printf("failed: %s\n", problem);
    std::exit(1);
}

void expect(bool same, const std::string& what) {
    if (same || ++mistakes > 20) return;
    std::printf("WRONG: %s\n", what.c_str());
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Bytes noise(std::size_t bytes, unsigned seed) {
    std::mt19937 generator(seed);
    Bytes out(bytes);
    for (auto& byte : out) byte = static_cast<unsigned char>(generator() >> 24);
    return out;
}

void digest_here(const unsigned char* at, std::uint64_t bytes, unsigned prefix, unsigned char* out) {
    BlockDigest digest(prefix);
    for (auto left = bytes / kChunk; left > 0; --left, at += kChunk) {
        std::uint32_t words[16];
        std::memcpy(words, at, sizeof words);
        digest.add(words);
    }
    std::uint32_t words[8];
    digest.finish(at, bytes, words);
    for (int i = 0; i < 32; ++i) out[i] = static_cast<unsigned char>(words[i / 4] >> (24 - 8 * (i % 4)));
}

// Blocks in a lane: `shift` 0 gives the fast kernel, others the one for blocks that lie anywhere.
void check_lane(const std::vector<std::uint64_t>& lengths, unsigned shift, unsigned prefix) {
    std::vector<modelseal_cuda_block> blocks;
    std::uint64_t end = shift;
    for (const auto length : lengths) {
        blocks.push_back({end, length});
        end += (length + 15) / 16 * 16;
    }
    modelseal_cuda_lane* lane = nullptr;
    must(calls->open_lane(0, end + 16, blocks.size(), &lane));
    const auto bytes = noise(end + 16, shift + prefix);
    std::copy(bytes.begin(), bytes.end(), calls->buffer(lane));
    for (int again = 0; again < 2; ++again) {
        must(calls->start(lane, prefix, blocks.data(), blocks.size()));
        const unsigned char* digests = nullptr;
        must(calls->finish(lane, &digests));
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            unsigned char expected[32];
            digest_here(bytes.data() + blocks[i].offset, blocks[i].bytes, prefix, expected);
            expect(std::memcmp(expected, digests + 32 * i, 32) == 0,
                   "digest of " + std::to_string(blocks[i].bytes) + " bytes, shift " + std::to_string(shift));
        }
    }
    calls->close_lane(lane);
}

void check_memory(std::uint64_t bytes, std::uint64_t block_bytes, std::uint64_t shift) {
    void* memory = nullptr;
    must(calls->fill_memory(0, bytes + shift, 7, &memory));
    const auto* from = static_cast<const unsigned char*>(memory) + shift;
    Bytes here(bytes), digests((bytes + block_bytes - 1) / block_bytes * 32), expected(digests.size());
    must(calls->read_memory(0, from, bytes, here.data()));
    must(calls->hash_memory(0, from, bytes, block_bytes, 1, digests.data()));
    for (std::uint64_t at = 0, i = 0; at < bytes; at += block_bytes, ++i)
        digest_here(here.data() + at, std::min(block_bytes, bytes - at), 1, expected.data() + 32 * i);
    expect(digests == expected, "digests of " + std::to_string(bytes) + " bytes in memory, in blocks of " +
                                    std::to_string(block_bytes));
    calls->free_memory(0, memory);
}

struct Alone {
    unsigned rank() const { return 0; }
    unsigned size() const { return 1; }
    void sync() const {}
};

void check_packets(unsigned size, int levels) {
    constexpr std::size_t signals = 5;
    std::mt19937_64 generator(size);
    std::vector<std::int64_t> values(size * signals);
    for (auto& value : values) value = static_cast<std::int64_t>(generator()) >> (generator() % 64);
    std::vector<std::uint64_t> expected(values.begin(), values.end()), scratch(size);
    for (std::size_t i = 0; i < signals; ++i)
        packets_forward(Alone{}, expected.data() + i * size, scratch.data(), size, levels);
    must(calls->packets(0, values.data(), size, signals, levels));
    expect(std::equal(values.begin(), values.end(), expected.begin(),
                      [](std::int64_t a, std::uint64_t b) { return static_cast<std::uint64_t>(a) == b; }),
           "packets of " + std::to_string(size) + " values on " + std::to_string(levels) + " levels");
}

int check(bool few) {
    std::vector<std::uint64_t> lengths;
    for (std::uint64_t bytes = 0; bytes <= 3 * 64; ++bytes) lengths.push_back(bytes);
    for (const std::uint64_t bytes : {4095u, 4096u, 32767u, 32768u, 32769u, 65536u}) lengths.push_back(bytes);
    for (const unsigned prefix : {1u, 0xFFu, kNoPrefix}) {
        for (const unsigned shift : {0u, 1u, 8u}) check_lane(lengths, shift, prefix);
    }
    check_lane(std::vector<std::uint64_t>(few ? 100 : 5000, 32768), 0, 1);
    check_memory(few ? 1'000'001 : 300'000'001, 32768, 0);
    check_memory(1'000'000, 4096, 16);
    check_memory(1'000'000, 4096, 1);
    check_memory(1'000'000, 840, 0);
    check_memory(1, 32768, 0);
    for (unsigned size = 1; size <= MODELSEAL_CUDA_MOST_VALUES; size += few || size >= 300 ? 173 : 1) {
        for (const int levels : {0, 1, 5, 6}) check_packets(size, levels);
    }
    check_packets(1024, 5);
    std::printf(mistakes == 0 ? "bit-exact\n" : "%d mistakes\n", mistakes);
    return mistakes == 0 ? 0 : 1;
}

// GB/s of digests of blocks of 32 KiB that lie on the card, with the way of the digests to this machine.
double rate_in_memory(std::uint64_t bytes) {
    void* memory = nullptr;
    must(calls->fill_memory(0, bytes, 1, &memory));
    Bytes digests(bytes / 32768 * 32);
    double best = 1e9;
    for (int i = 0; i < 6; ++i) {
        const auto start = Clock::now();
        must(calls->hash_memory(0, memory, bytes, 32768, 1, digests.data()));
        best = std::min(best, seconds_since(start));
    }
    calls->free_memory(0, memory);
    return static_cast<double>(bytes) / best / 1e9;
}

// GB/s of blocks in this machine's memory, as a check reads them from the page cache: each thread copies into the buffers
// of two lanes in turn.
double rate_streamed(std::uint64_t bytes, const Bytes& source, unsigned threads) {
    constexpr std::size_t batch = 8u << 20, block = 32768;
    std::vector<modelseal_cuda_block> blocks;
    for (std::size_t at = 0; at < batch; at += block) blocks.push_back({at, block});
    std::vector<std::vector<modelseal_cuda_lane*>> lanes(threads, std::vector<modelseal_cuda_lane*>(2));
    for (auto& of_thread : lanes) {
        for (auto& lane : of_thread) must(calls->open_lane(0, batch, blocks.size(), &lane));
    }
    const auto start = Clock::now();
    std::vector<std::thread> workers;
    for (unsigned number = 0; number < threads; ++number) {
        workers.emplace_back([&, number] {
            const unsigned char* digests = nullptr;
            std::uint64_t turn = 0;
            for (auto at = number * std::uint64_t{batch}; at < bytes;
                 at += threads * std::uint64_t{batch}, ++turn) {
                auto* lane = lanes[number][turn % 2];
                if (turn >= 2) must(calls->finish(lane, &digests));
                std::memcpy(calls->buffer(lane), source.data() + at % source.size(), batch);
                must(calls->start(lane, 1, blocks.data(), blocks.size()));
            }
            for (auto* lane : lanes[number]) must(calls->finish(lane, &digests));
        });
    }
    for (auto& worker : workers) worker.join();
    const auto seconds = seconds_since(start);
    for (auto& of_thread : lanes) {
        for (auto* lane : of_thread) calls->close_lane(lane);
    }
    return static_cast<double>(bytes) / seconds / 1e9;
}

int table() {
    modelseal_cuda_card card{};
    must(calls->describe(0, &card));
    const auto threads = std::max(1u, std::thread::hardware_concurrency());
    std::printf("%s, %.0f GiB, compute capability %d.%d; %u threads of this machine\n\n", card.name,
                static_cast<double>(card.memory) / (1u << 30), card.major, card.minor, threads);
    std::printf("| MiB | hashed in the card's memory, GB/s | streamed from this machine's memory, GB/s |\n");
    std::printf("| ---: | ---: | ---: |\n");
    const auto source = noise(std::size_t{1} << 28, 3);
    rate_streamed(std::uint64_t{1} << 28, source, threads);
    for (std::uint64_t mib = 64; mib <= 32768; mib *= 2) {
        const auto bytes = mib << 20;
        const bool fits = bytes < card.memory / 10 * 9;
        std::printf("| %llu | %s | %.1f |\n", static_cast<unsigned long long>(mib),
                    fits ? std::to_string(rate_in_memory(bytes)).substr(0, 6).c_str() : "does not fit",
                    rate_streamed(bytes, source, threads));
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: hash_on_card MODULE check|table [FEW]\n");
        return 2;
    }
    void* const handle = ::dlopen(argv[1], RTLD_NOW);
    auto* const entry =
        handle != nullptr ? reinterpret_cast<modelseal_cuda_entry*>(::dlsym(handle, kEntry)) : nullptr;
    if (entry == nullptr) {
        std::fprintf(stderr, "%s\n", ::dlerror());
        return 1;
    }
    calls = entry();
    int cards = 0;
    must(calls->count(&cards));
    if (cards == 0) must("no graphics card");
    return std::string(argv[2]) == "table" ? table() : check(argc > 3);
}
