// The kernels. nvcc compiles them; a test runs them on the processor, with its own names for what a card has.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#include <cuda_pipeline.h>
#endif

#include "hash/cuda/packets.h"
#include "hash/cuda/sha256.h"

namespace modelseal::hash::cuda {

constexpr int kWarp = 32;
constexpr int kDigestThreads = 128;
constexpr int kPacketThreads = 256;
constexpr unsigned kMostValues = 2048;  // of a signal

struct Place {
    std::uint64_t offset, bytes;
};

// Blocks that are listed.
struct Listed {
    const Place* places;
    std::uint64_t count;
    __device__ Place operator()(std::uint64_t index) const {
        return index < count ? places[index] : Place{0, 0};
    }
};

// Blocks of one length after another; the last may be shorter.
struct Even {
    std::uint64_t bytes, block_bytes, count;
    __device__ Place operator()(std::uint64_t index) const {
        if (index >= count) return {0, 0};
        const auto offset = index * block_bytes, left = bytes - offset;
        return {offset, left < block_bytes ? left : block_bytes};
    }
};

__device__ inline void store_digest(const std::uint32_t (&digest)[8], unsigned char* out) {
    auto* const words = reinterpret_cast<uint4*>(out);
    std::uint32_t raw[8];
    MODELSEAL_UNROLL
    for (int i = 0; i < 8; ++i) raw[i] = pick_bytes(digest[i], 0, 0x0123);
    words[0] = make_uint4(raw[0], raw[1], raw[2], raw[3]);
    words[1] = make_uint4(raw[4], raw[5], raw[6], raw[7]);
}

// One block a thread. The 32 threads of a warp fetch the next 64 bytes of each of their blocks together: four threads take
// a block's 64 bytes in loads of 16, so that each sector of memory is read once. While they compress one chunk the next is
// on its way (cp.async). A chunk of 16 bytes lies where 8 threads at a time touch different banks.
// Preconditions: `base` and all offsets are multiples of 16.
template <class Blocks>
__global__ void __launch_bounds__(kDigestThreads)
    digest_blocks(const unsigned char* __restrict__ base, Blocks blocks, unsigned prefix, unsigned char* out) {
    constexpr int stages = 2, parts = kChunk / 16;
    __shared__ uint4 staged[kDigestThreads / kWarp][stages][kWarp * parts];
    const unsigned lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp, part = lane % parts;
    const auto first = (static_cast<std::uint64_t>(blockIdx.x) * (kDigestThreads / kWarp) + warp) * kWarp;
    const auto place = blocks(first + lane);
    const auto chunks = static_cast<std::uint32_t>(place.bytes / kChunk);
    const auto most = __reduce_max_sync(~0u, chunks);

    // Which 16 bytes this thread fetches of four of the warp's blocks, and where they go.
    const unsigned char* from[parts];
    std::uint32_t from_chunks[parts];
    unsigned to[parts];
    MODELSEAL_UNROLL
    for (int i = 0; i < parts; ++i) {
        const unsigned owner = static_cast<unsigned>(i) * (kWarp / parts) + lane / parts;
        from[i] = base + __shfl_sync(~0u, place.offset, owner) + part * 16;
        from_chunks[i] = __shfl_sync(~0u, chunks, owner);
        to[i] = slot_of(owner, part);
    }
    const auto fetch = [&](std::uint32_t chunk) {
        MODELSEAL_UNROLL
        for (int i = 0; i < parts; ++i) {
            if (chunk < from_chunks[i]) {
                __pipeline_memcpy_async(&staged[warp][chunk % stages][to[i]],
                                        from[i] + static_cast<std::uint64_t>(chunk) * kChunk, 16);
            }
        }
        __pipeline_commit();
    };

    BlockDigest digest(prefix);
    fetch(0);
    for (std::uint32_t chunk = 0; chunk < most; ++chunk) {
        fetch(chunk + 1);  // of none after the last
        __pipeline_wait_prior(1);
        __syncwarp();
        if (chunk < chunks) {
            std::uint32_t words[16];
            MODELSEAL_UNROLL
            for (int i = 0; i < parts; ++i) {
                const auto four = staged[warp][chunk % stages][slot_of(lane, static_cast<unsigned>(i))];
                words[4 * i] = four.x;
                words[4 * i + 1] = four.y;
                words[4 * i + 2] = four.z;
                words[4 * i + 3] = four.w;
            }
            digest.add(words);
        }
        __syncwarp();  // all have read what the fetch after the next overwrites
    }
    __pipeline_wait_prior(0);
    if (first + lane >= blocks.count) return;
    std::uint32_t result[8];
    digest.finish(base + place.offset + static_cast<std::uint64_t>(chunks) * kChunk, place.bytes, result);
    store_digest(result, out + (first + lane) * 32);
}

// The same for blocks that lie anywhere, byte by byte.
template <class Blocks>
__global__ void __launch_bounds__(kDigestThreads)
    digest_unaligned(const unsigned char* __restrict__ base, Blocks blocks, unsigned prefix,
                     unsigned char* out) {
    const auto index = static_cast<std::uint64_t>(blockIdx.x) * kDigestThreads + threadIdx.x;
    if (index >= blocks.count) return;
    const auto place = blocks(index);
    const auto* at = base + place.offset;
    BlockDigest digest(prefix);
    for (auto left = place.bytes / kChunk; left > 0; --left, at += kChunk) {
        std::uint32_t words[16];
        MODELSEAL_UNROLL
        for (int i = 0; i < 16; ++i) {
            words[i] = at[4 * i] | static_cast<std::uint32_t>(at[4 * i + 1]) << 8 |
                       static_cast<std::uint32_t>(at[4 * i + 2]) << 16 |
                       static_cast<std::uint32_t>(at[4 * i + 3]) << 24;
        }
        digest.add(words);
    }
    std::uint32_t result[8];
    digest.finish(at, place.bytes, result);
    store_digest(result, out + index * 32);
}

struct ThreadBlock {
    __device__ unsigned rank() const { return threadIdx.x; }
    __device__ unsigned size() const { return kPacketThreads; }
    __device__ void sync() const { __syncthreads(); }
};

// One signal of at most kMostValues values a thread block, in shared memory.
static __global__ void __launch_bounds__(kPacketThreads)
    transform(std::uint64_t* signals, unsigned size, int levels) {
    __shared__ std::uint64_t room[2 * kMostValues];
    auto* const signal = signals + static_cast<std::uint64_t>(blockIdx.x) * size;
    for (auto i = threadIdx.x; i < size; i += kPacketThreads) room[i] = signal[i];
    __syncthreads();
    packets_forward(ThreadBlock{}, room, room + size, size, levels);
    for (auto i = threadIdx.x; i < size; i += kPacketThreads) signal[i] = room[i];
}

}  // namespace modelseal::hash::cuda
