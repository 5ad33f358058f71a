// The module of module.h. nvcc compiles it with the CUDA runtime linked statically, so that it runs wherever there is a
// driver.
#include <algorithm>
#include <new>
#include <string>

#include <cuda_runtime.h>

#include "hash/cuda/kernels.h"
#include "hash/cuda/module.h"

using namespace modelseal::hash::cuda;

struct modelseal_cuda_lane {
    int card = 0;
    std::size_t bytes = 0, blocks = 0;
    cudaStream_t queue = nullptr;
    unsigned char *buffer = nullptr, *digests = nullptr;  // page-locked
    modelseal_cuda_block* places = nullptr;               // page-locked
    unsigned char *on_card = nullptr, *digests_on_card = nullptr;
    Place* places_on_card = nullptr;
};

namespace {

// Bytes that differ everywhere, as weights do.
__global__ void fill(std::uint32_t* words, std::uint64_t count, std::uint32_t seed) {
    const auto step = static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
    for (auto i = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
        auto word = static_cast<std::uint32_t>(i * 2654435761u) ^ seed ^ static_cast<std::uint32_t>(i >> 32);
        word ^= word >> 15;
        word *= 0x2c1b3c6du;
        words[i] = word ^ (word >> 12);
    }
}

static_assert(kMostValues == MODELSEAL_CUDA_MOST_VALUES);
static_assert(sizeof(Place) == sizeof(modelseal_cuda_block), "they are copied as they are");

// Null for success.
const char* text_of(cudaError_t code) {
    return code == cudaSuccess ? nullptr : cudaGetErrorString(code);
}

#define TRY(call)                                             \
    if (const auto code = (call); code != cudaSuccess) {      \
        cudaGetLastError(); /* so that it is not met again */ \
        return text_of(code);                                 \
    }

bool aligned(const void* memory) {
    return reinterpret_cast<std::uintptr_t>(memory) % 16 == 0;
}

template <class Blocks>
cudaError_t launch(const unsigned char* base, const Blocks& blocks, bool fast, unsigned prefix,
                   unsigned char* digests, cudaStream_t queue) {
    const auto grid = static_cast<unsigned>((blocks.count + kDigestThreads - 1) / kDigestThreads);
    if (fast) {
        digest_blocks<<<grid, kDigestThreads, 0, queue>>>(base, blocks, prefix, digests);
    } else {
        digest_unaligned<<<grid, kDigestThreads, 0, queue>>>(base, blocks, prefix, digests);
    }
    return cudaGetLastError();
}

const char* count_cards(int* cards) {
    *cards = 0;
    TRY(cudaGetDeviceCount(cards));
    return nullptr;
}

const char* describe(int card, modelseal_cuda_card* out) {
    cudaDeviceProp properties;
    TRY(cudaGetDeviceProperties(&properties, card));
    const std::string name = properties.name;
    out->name[name.copy(out->name, sizeof out->name - 1)] = '\0';
    out->memory = properties.totalGlobalMem;
    out->major = properties.major;
    out->minor = properties.minor;
    return nullptr;
}

void close_lane(modelseal_cuda_lane* lane) {
    if (lane == nullptr) return;
    cudaSetDevice(lane->card);
    if (lane->queue != nullptr) cudaStreamSynchronize(lane->queue);
    cudaFreeHost(lane->buffer);
    cudaFreeHost(lane->digests);
    cudaFreeHost(lane->places);
    cudaFree(lane->on_card);
    cudaFree(lane->digests_on_card);
    cudaFree(lane->places_on_card);
    if (lane->queue != nullptr) cudaStreamDestroy(lane->queue);
    delete lane;
}

cudaError_t allocate(modelseal_cuda_lane& lane) {
    const auto bytes = std::max<std::size_t>(lane.bytes, 1), blocks = std::max<std::size_t>(lane.blocks, 1);
    auto code = cudaSetDevice(lane.card);
    const auto then = [&](cudaError_t next) { code = code == cudaSuccess ? next : code; };
    if (code == cudaSuccess) then(cudaStreamCreateWithFlags(&lane.queue, cudaStreamNonBlocking));
    if (code == cudaSuccess) then(cudaHostAlloc(&lane.buffer, bytes, cudaHostAllocDefault));
    if (code == cudaSuccess) then(cudaHostAlloc(&lane.digests, blocks * 32, cudaHostAllocDefault));
    if (code == cudaSuccess) then(cudaHostAlloc(&lane.places, blocks * sizeof(Place), cudaHostAllocDefault));
    if (code == cudaSuccess) then(cudaMalloc(&lane.on_card, bytes));
    if (code == cudaSuccess) then(cudaMalloc(&lane.digests_on_card, blocks * 32));
    if (code == cudaSuccess) then(cudaMalloc(&lane.places_on_card, blocks * sizeof(Place)));
    return code;
}

const char* open_lane(int card, std::size_t bytes, std::size_t blocks, modelseal_cuda_lane** out) {
    *out = nullptr;
    auto* lane = new (std::nothrow) modelseal_cuda_lane;
    if (lane == nullptr) return "out of memory";
    lane->card = card;
    lane->bytes = bytes;
    lane->blocks = blocks;
    if (const auto code = allocate(*lane); code != cudaSuccess) {
        close_lane(lane);
        cudaGetLastError();
        return text_of(code);
    }
    *out = lane;
    return nullptr;
}

unsigned char* buffer_of(modelseal_cuda_lane* lane) {
    return lane->buffer;
}

const char* start(modelseal_cuda_lane* lane, unsigned prefix, const modelseal_cuda_block* blocks,
                  std::size_t count) {
    if (count > lane->blocks) return "more blocks than the lane has room for";
    if (count == 0) return nullptr;
    TRY(cudaSetDevice(lane->card));
    std::uint64_t first = lane->bytes, end = 0;
    bool fast = true;
    for (std::size_t i = 0; i < count; ++i) {
        if (blocks[i].offset > lane->bytes || blocks[i].bytes > lane->bytes - blocks[i].offset)
            return "a block is not in the buffer";
        first = std::min(first, blocks[i].offset);
        end = std::max(end, blocks[i].offset + blocks[i].bytes);
        fast = fast && blocks[i].offset % 16 == 0;
        lane->places[i] = blocks[i];
    }
    TRY(cudaMemcpyAsync(lane->places_on_card, lane->places, count * sizeof(Place), cudaMemcpyHostToDevice,
                        lane->queue));
    if (end > first) {
        TRY(cudaMemcpyAsync(lane->on_card + first, lane->buffer + first, end - first, cudaMemcpyHostToDevice,
                            lane->queue));
    }
    TRY(launch(lane->on_card, Listed{lane->places_on_card, count}, fast, prefix, lane->digests_on_card,
               lane->queue));
    TRY(cudaMemcpyAsync(lane->digests, lane->digests_on_card, count * 32, cudaMemcpyDeviceToHost, lane->queue));
    return nullptr;
}

const char* finish(modelseal_cuda_lane* lane, const unsigned char** digests) {
    *digests = lane->digests;
    TRY(cudaStreamSynchronize(lane->queue));
    return nullptr;
}

// Frees it at the end, and waits for the queue of all.
class OnCard {
  public:
    OnCard() = default;
    OnCard(const OnCard&) = delete;
    OnCard& operator=(const OnCard&) = delete;
    ~OnCard() { cudaFree(memory_); }
    cudaError_t allocate(std::size_t bytes) { return cudaMalloc(&memory_, std::max<std::size_t>(bytes, 1)); }
    template <class T>
    T* as() const {
        return static_cast<T*>(memory_);
    }

  private:
    void* memory_ = nullptr;
};

const char* hash_memory(int card, const void* memory, std::uint64_t bytes, std::uint64_t block_bytes,
                        unsigned prefix, unsigned char* digests) {
    if (block_bytes == 0 || block_bytes > 0xFFFFFFFFu) return "the blocks have no length that can be";
    if (bytes == 0) return nullptr;
    TRY(cudaSetDevice(card));
    const Even blocks{bytes, block_bytes, (bytes + block_bytes - 1) / block_bytes};
    OnCard room;
    TRY(room.allocate(blocks.count * 32));
    TRY(launch(static_cast<const unsigned char*>(memory), blocks, aligned(memory) && block_bytes % 16 == 0,
               prefix, room.as<unsigned char>(), nullptr));
    TRY(cudaMemcpy(digests, room.as<unsigned char>(), blocks.count * 32, cudaMemcpyDeviceToHost));
    return nullptr;
}

const char* read_memory(int card, const void* memory, std::uint64_t bytes, void* to) {
    TRY(cudaSetDevice(card));
    TRY(cudaMemcpy(to, memory, bytes, cudaMemcpyDeviceToHost));
    return nullptr;
}

const char* packets(int card, std::int64_t* values, unsigned size, std::size_t signals, int levels) {
    if (size > MODELSEAL_CUDA_MOST_VALUES) return "a signal is too long";
    if (size == 0 || signals == 0) return nullptr;
    TRY(cudaSetDevice(card));
    const auto bytes = signals * size * sizeof(std::int64_t);
    OnCard room;
    TRY(room.allocate(bytes));
    TRY(cudaMemcpy(room.as<void>(), values, bytes, cudaMemcpyHostToDevice));
    transform<<<static_cast<unsigned>(signals), kPacketThreads>>>(room.as<std::uint64_t>(), size, levels);
    TRY(cudaGetLastError());
    TRY(cudaMemcpy(values, room.as<void>(), bytes, cudaMemcpyDeviceToHost));
    return nullptr;
}

const char* fill_memory(int card, std::uint64_t bytes, std::uint32_t seed, void** memory) {
    *memory = nullptr;
    TRY(cudaSetDevice(card));
    const auto words = (bytes + 3) / 4;
    TRY(cudaMalloc(memory, std::max<std::uint64_t>(words, 1) * 4));
    fill<<<4096, 256>>>(static_cast<std::uint32_t*>(*memory), words, seed);
    TRY(cudaGetLastError());
    TRY(cudaDeviceSynchronize());
    return nullptr;
}

void free_memory(int card, void* memory) {
    cudaSetDevice(card);
    cudaFree(memory);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const modelseal_cuda_module* modelseal_cuda_module_v1() {
    static const modelseal_cuda_module module = {count_cards, describe, open_lane,   close_lane,
                                                 buffer_of,   start,    finish,      hash_memory,
                                                 read_memory, packets,  fill_memory, free_memory};
    return &module;
}
