// A graphics card on paper: runs a kernel on the processor, each thread of a thread block as a thread. The names are
// those of CUDA, for what the kernels use. Include it before hash/cuda/kernels.h.
#pragma once

#include <algorithm>
#include <array>
#include <barrier>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#define __device__
#define __global__
#define __shared__ static
#define __launch_bounds__(threads)

struct alignas(16) uint4 {
    std::uint32_t x, y, z, w;
};
inline uint4 make_uint4(std::uint32_t x, std::uint32_t y, std::uint32_t z, std::uint32_t w) {
    return {x, y, z, w};
}

namespace modelseal::test {

constexpr unsigned kThreadsOfAWarp = 32;

struct PaperWarp {
    std::barrier<> all{kThreadsOfAWarp};
    std::array<std::uint64_t, kThreadsOfAWarp> values{};
};

struct Coordinate {
    unsigned x = 0;
};

inline thread_local PaperWarp* warp = nullptr;
inline thread_local std::barrier<>* thread_block = nullptr;

}  // namespace modelseal::test

inline thread_local modelseal::test::Coordinate threadIdx, blockIdx, gridDim, blockDim;

inline void __syncthreads() {
    modelseal::test::thread_block->arrive_and_wait();
}
inline void __syncwarp() {
    modelseal::test::warp->all.arrive_and_wait();
}

template <class T>
T __shfl_sync(unsigned, T value, unsigned from) {
    auto& warp = *modelseal::test::warp;
    warp.values[threadIdx.x % modelseal::test::kThreadsOfAWarp] = value;
    warp.all.arrive_and_wait();
    const auto other = static_cast<T>(warp.values[from]);
    warp.all.arrive_and_wait();
    return other;
}

inline std::uint32_t __reduce_max_sync(unsigned, std::uint32_t value) {
    auto& warp = *modelseal::test::warp;
    warp.values[threadIdx.x % modelseal::test::kThreadsOfAWarp] = value;
    warp.all.arrive_and_wait();
    const auto most = *std::ranges::max_element(warp.values);
    warp.all.arrive_and_wait();
    return static_cast<std::uint32_t>(most);
}

// Copies of 16 bytes that are begun now and done when they are waited for: not before, so that a wait that is missing
// shows. In groups, in order.
namespace modelseal::test {

struct PaperCopy {
    void* to;
    const void* from;
    std::size_t bytes;
};
inline thread_local std::vector<std::vector<PaperCopy>> copies(1);

}  // namespace modelseal::test

inline void __pipeline_memcpy_async(void* to, const void* from, std::size_t bytes) {
    modelseal::test::copies.back().push_back({to, from, bytes});
}
inline void __pipeline_commit() {
    modelseal::test::copies.emplace_back();
}
// All groups but the last `younger` ones.
inline void __pipeline_wait_prior(std::size_t younger) {
    auto& groups = modelseal::test::copies;
    while (groups.size() - 1 > younger) {
        for (const auto& copy : groups.front()) std::memcpy(copy.to, copy.from, copy.bytes);
        groups.erase(groups.begin());
    }
}

namespace modelseal::test {

// kernel() in each of `threads` threads (whole warps) of `blocks` thread blocks.
template <class Kernel>
void launch(unsigned blocks, unsigned threads, const Kernel& kernel) {
    for (unsigned block = 0; block < blocks; ++block) {
        std::barrier<> all(threads);
        std::vector<std::unique_ptr<PaperWarp>> warps;
        for (unsigned i = 0; i < threads / kThreadsOfAWarp; ++i) warps.push_back(std::make_unique<PaperWarp>());
        std::vector<std::jthread> running;
        for (unsigned number = 0; number < threads; ++number) {
            running.emplace_back([&, number] {
                threadIdx.x = number;
                blockIdx.x = block;
                gridDim.x = blocks;
                blockDim.x = threads;
                warp = warps[number / kThreadsOfAWarp].get();
                thread_block = &all;
                kernel();
                // A thread that is done takes part in nothing any more.
                warp->all.arrive_and_drop();
                all.arrive_and_drop();
            });
        }
    }
}

}  // namespace modelseal::test
