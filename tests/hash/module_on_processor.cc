// The module for graphics cards without a card: the same interface, hashing on the processor, for tests of all around it.
// The environment variable MODELSEAL_TEST_CARD makes it fail: "none" (no card), "lane", "start", "finish".
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "hash/cuda/module.h"
#include "hash/cuda/packets.h"
#include "hash/cuda/sha256.h"

using namespace modelseal::hash::cuda;

struct modelseal_cuda_lane {
    std::vector<unsigned char> buffer, digests;
    unsigned prefix = 0;
    std::vector<modelseal_cuda_block> started;
};

namespace {

bool fails(std::string_view what) {
    const char* given = std::getenv("MODELSEAL_TEST_CARD");
    return given != nullptr && given == what;
}

void digest(const unsigned char* at, std::uint64_t bytes, unsigned prefix, unsigned char* out) {
    BlockDigest digest(prefix);
    for (auto left = bytes / kChunk; left > 0; --left, at += kChunk) {
        std::uint32_t words[16];
        for (int i = 0; i < 16; ++i) {
            words[i] = 0;
            for (int k = 3; k >= 0; --k) words[i] = (words[i] << 8) | at[4 * i + k];
        }
        digest.add(words);
    }
    std::uint32_t words[8];
    digest.finish(at, bytes, words);
    for (int i = 0; i < 32; ++i) out[i] = static_cast<unsigned char>(words[i / 4] >> (24 - 8 * (i % 4)));
}

const char* count_cards(int* cards) {
    *cards = fails("none") ? 0 : 2;
    return nullptr;
}

const char* describe(int, modelseal_cuda_card* out) {
    std::strcpy(out->name, "Paper Card");
    return nullptr;
}

const char* open_lane(int, std::size_t bytes, std::size_t blocks, modelseal_cuda_lane** out) {
    *out = nullptr;
    if (fails("lane")) return "out of memory";
    *out = new modelseal_cuda_lane{
        std::vector<unsigned char>(bytes), std::vector<unsigned char>(32 * blocks), 0, {}};
    return nullptr;
}

void close_lane(modelseal_cuda_lane* lane) {
    delete lane;
}

unsigned char* buffer_of(modelseal_cuda_lane* lane) {
    return lane->buffer.data();
}

const char* start(modelseal_cuda_lane* lane, unsigned prefix, const modelseal_cuda_block* blocks,
                  std::size_t count) {
    if (fails("start")) return "an illegal memory access was encountered";
    lane->prefix = prefix;
    lane->started.assign(blocks, blocks + count);
    return nullptr;
}

// Not before: what is written to the buffer meanwhile would show.
const char* finish(modelseal_cuda_lane* lane, const unsigned char** digests) {
    if (fails("finish")) return "the launch timed out";
    for (std::size_t i = 0; i < lane->started.size(); ++i) {
        const auto& block = lane->started[i];
        digest(lane->buffer.data() + block.offset, block.bytes, lane->prefix, lane->digests.data() + 32 * i);
    }
    *digests = lane->digests.data();
    return nullptr;
}

const char* hash_memory(int, const void* memory, std::uint64_t bytes, std::uint64_t block_bytes,
                        unsigned prefix, unsigned char* digests) {
    for (std::uint64_t at = 0; at < bytes; at += block_bytes, digests += 32) {
        const auto left = bytes - at;
        digest(static_cast<const unsigned char*>(memory) + at, left < block_bytes ? left : block_bytes, prefix,
               digests);
    }
    return nullptr;
}

const char* read_memory(int, const void* memory, std::uint64_t bytes, void* to) {
    std::memcpy(to, memory, bytes);
    return nullptr;
}

struct Alone {
    unsigned rank() const { return 0; }
    unsigned size() const { return 1; }
    void sync() const {}
};

const char* packets(int, std::int64_t* values, unsigned size, std::size_t signals, int levels) {
    std::vector<std::uint64_t> scratch(size);
    for (std::size_t i = 0; i < signals; ++i)
        packets_forward(Alone{}, reinterpret_cast<std::uint64_t*>(values) + i * size, scratch.data(), size,
                        levels);
    return nullptr;
}

const char* fill_memory(int, std::uint64_t bytes, std::uint32_t seed, void** memory) {
    auto* const at = static_cast<unsigned char*>(std::malloc(bytes + 1));
    for (std::uint64_t i = 0; i < bytes; ++i)
        at[i] = static_cast<unsigned char>((i * 2654435761u + seed) >> 13);
    *memory = at;
    return nullptr;
}

void free_memory(int, void* memory) {
    std::free(memory);
}

}  // namespace

extern "C" const modelseal_cuda_module* modelseal_cuda_module_v1() {
    static const modelseal_cuda_module module = {count_cards, describe, open_lane,   close_lane,
                                                 buffer_of,   start,    finish,      hash_memory,
                                                 read_memory, packets,  fill_memory, free_memory};
    return &module;
}
