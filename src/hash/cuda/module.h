// The C interface of the module for graphics cards: a shared object with the kernels and the CUDA runtime in it, which is
// loaded when a card is to be used. Calls that can fail return null, or a text that says why, in static or thread-local
// storage. Threads: calls on different lanes may run at the same time.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

// A buffer for reading and one on the card, with a queue of their own: what one thread has in flight.
struct modelseal_cuda_lane;

struct modelseal_cuda_block {
    std::uint64_t offset, bytes;  // in the buffer or the memory
};

struct modelseal_cuda_card {
    char name[256];
    std::uint64_t memory;  // bytes
    int major, minor;      // compute capability
};

struct modelseal_cuda_module {
    const char* (*count)(int* cards);
    const char* (*describe)(int card, modelseal_cuda_card* out);

    // `bytes` of page-locked memory, and room for the digests of `blocks`.
    const char* (*open_lane)(int card, std::size_t bytes, std::size_t blocks, modelseal_cuda_lane** out);
    void (*close_lane)(modelseal_cuda_lane* lane);  // waits for what was started; accepts null
    unsigned char* (*buffer)(modelseal_cuda_lane* lane);
    // Starts to copy the blocks to the card and to hash them there. `prefix`: a byte before each, or 256 for none.
    const char* (*start)(modelseal_cuda_lane* lane, unsigned prefix, const modelseal_cuda_block* blocks,
                         std::size_t count);
    // Waits; `digests`: 32 bytes each, valid until the next start().
    const char* (*finish)(modelseal_cuda_lane* lane, const unsigned char** digests);

    // Of memory on a card: digests of its blocks of `block_bytes` each (the last may be shorter), to `digests`.
    const char* (*hash_memory)(int card, const void* memory, std::uint64_t bytes, std::uint64_t block_bytes,
                               unsigned prefix, unsigned char* digests);
    // Copies from memory on a card.
    const char* (*read_memory)(int card, const void* memory, std::uint64_t bytes, void* to);
    // Integer wavelet packets (packets.h) of `signals` signals of `size` values each, in place, in this machine's memory.
    const char* (*packets)(int card, std::int64_t* values, unsigned size, std::size_t signals, int levels);
    // Memory on a card, for tests and measurements: `bytes` filled with a pattern that `seed` decides.
    const char* (*fill_memory)(int card, std::uint64_t bytes, std::uint32_t seed, void** memory);
    void (*free_memory)(int card, void* memory);
};

// Longest signal of packets().
enum { MODELSEAL_CUDA_MOST_VALUES = 2048 };

typedef const modelseal_cuda_module* modelseal_cuda_entry();
}

namespace modelseal::hash::cuda {

// What the module exports. The name changes with the table.
inline constexpr const char* kEntry = "modelseal_cuda_module_v1";
inline constexpr const char* kModule = "libmodelseal-cuda.so";

}  // namespace modelseal::hash::cuda
