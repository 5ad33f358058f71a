// What the sources of the kernels need to be compiled for a card by nvcc, and for the processor by any compiler: so that
// their logic is tested on machines without a card.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#define MODELSEAL_EVERYWHERE __host__ __device__ __forceinline__
#else
#define MODELSEAL_EVERYWHERE inline
#endif
#if defined(__CUDA_ARCH__)
#define MODELSEAL_UNROLL _Pragma("unroll")
#else
#define MODELSEAL_UNROLL
#endif

namespace modelseal::hash::cuda {

// Rotates right; one instruction on a card.
MODELSEAL_EVERYWHERE std::uint32_t rotate(std::uint32_t value, unsigned bits) {
#if defined(__CUDA_ARCH__)
    return __funnelshift_r(value, value, bits);
#else
    return (value >> bits) | (value << (32 - bits));
#endif
}

// The four bytes of `a` (numbers 0 to 3, the lowest first) and `b` (4 to 7) that the digits of `selector` name; its lowest
// digit is for the lowest byte of the result.
MODELSEAL_EVERYWHERE std::uint32_t pick_bytes(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
#if defined(__CUDA_ARCH__)
    return __byte_perm(a, b, selector);
#else
    const std::uint64_t both = (static_cast<std::uint64_t>(b) << 32) | a;
    std::uint32_t picked = 0;
    for (unsigned i = 0; i < 4; ++i) {
        const auto from = (selector >> (4 * i)) & 7;
        picked |= static_cast<std::uint32_t>((both >> (8 * from)) & 0xFF) << (8 * i);
    }
    return picked;
#endif
}

}  // namespace modelseal::hash::cuda
