#include "hash/sha256_pair.h"

#include <array>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace modelseal::hash {

#if defined(__x86_64__)

namespace {

#define MODELSEAL_SHA [[gnu::target("sha,sse4.1")]]
#define MODELSEAL_SHA_INLINE [[gnu::target("sha,sse4.1"), gnu::always_inline]]

constexpr std::size_t kChunk = 64;

alignas(16) constexpr std::uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The state as the instructions want it, a in the highest place.
struct State {
    __m128i abef, cdgh;
};

constexpr std::uint32_t kStart[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

int number(std::uint32_t value) {
    return static_cast<int>(value);
}

MODELSEAL_SHA State first_state() {
    const auto& s = kStart;
    return {_mm_set_epi32(number(s[0]), number(s[1]), number(s[4]), number(s[5])),
            _mm_set_epi32(number(s[2]), number(s[3]), number(s[6]), number(s[7]))};
}

MODELSEAL_SHA_INLINE inline __m128i load_words(const std::byte* at) {
    const auto reversed = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), reversed);
}

// Four rounds, and the schedule of the four that come 16 rounds later.
MODELSEAL_SHA_INLINE inline void four_rounds(State& state, __m128i (&words)[4], int group) {
    const auto constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kRound) + group);
    const auto& w0 = words[group % 4];
    const auto both = _mm_add_epi32(w0, constants);
    state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, both);
    state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(both, 0x0E));
    if (group >= 12) return;
    const auto &w1 = words[(group + 1) % 4], &w2 = words[(group + 2) % 4], &w3 = words[(group + 3) % 4];
    const auto sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    words[group % 4] = _mm_sha256msg2_epu32(sum, w3);
}

// The states are copied, so that they stay in registers.
MODELSEAL_SHA void compress_pair(State& state_a, State& state_b, const std::byte* at_a, const std::byte* at_b,
                                 std::size_t chunks) {
    auto a = state_a, b = state_b;
    for (; chunks > 0; --chunks, at_a += kChunk, at_b += kChunk) {
        const auto before_a = a, before_b = b;
        __m128i words_a[4], words_b[4];
        for (int i = 0; i < 4; ++i) {
            words_a[i] = load_words(at_a + 16 * i);
            words_b[i] = load_words(at_b + 16 * i);
        }
#pragma GCC unroll 16
        for (int group = 0; group < 16; ++group) {
            four_rounds(a, words_a, group);
            four_rounds(b, words_b, group);
        }
        a = {_mm_add_epi32(a.abef, before_a.abef), _mm_add_epi32(a.cdgh, before_a.cdgh)};
        b = {_mm_add_epi32(b.abef, before_b.abef), _mm_add_epi32(b.cdgh, before_b.cdgh)};
    }
    state_a = a;
    state_b = b;
}

MODELSEAL_SHA crypto::Digest digest_of(const State& state) {
    alignas(16) std::uint32_t abef[4], cdgh[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(abef), state.abef);
    _mm_store_si128(reinterpret_cast<__m128i*>(cdgh), state.cdgh);
    const std::uint32_t words[8] = {abef[3], abef[2], cdgh[3], cdgh[2], abef[1], abef[0], cdgh[1], cdgh[0]};
    crypto::Digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<std::byte>(words[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

// What of a message does not lie in its block as it is hashed: its first chunk, with the prefix, and its last ones, with
// the padding. All chunks between lie in the block, one byte before where they would without a prefix.
struct Ends {
    std::array<std::byte, kChunk> first{};
    std::array<std::byte, 2 * kChunk> last{};
};

// `inside`: how many chunks lie in the block.
Ends ends_of(std::byte prefix, const std::byte* block, std::size_t bytes, std::size_t inside,
             std::size_t last) {
    Ends ends;
    const auto message = bytes + 1;
    auto* to = ends.last.data();
    auto done = std::size_t{0};
    if (message >= kChunk) {
        ends.first[0] = prefix;
        std::memcpy(ends.first.data() + 1, block, kChunk - 1);
        done = kChunk - 1 + inside * kChunk;
    } else {
        *to++ = prefix;
    }
    if (bytes > done) std::memcpy(to, block + done, bytes - done);
    to[bytes - done] = std::byte{0x80};
    const auto bits = static_cast<std::uint64_t>(message) * 8;
    for (std::size_t i = 0; i < 8; ++i)
        ends.last[last * kChunk - 1 - i] = static_cast<std::byte>(bits >> (8 * i));
    return ends;
}

}  // namespace

bool can_hash_pairs() {
    static const bool able = [] {
        unsigned a = 0, b = 0, c = 0, d = 0;
        if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
        return (b & bit_SHA) != 0 && __builtin_cpu_supports("sse4.1") != 0;
    }();
    return able;
}

MODELSEAL_SHA void hash_pair(std::byte prefix, const std::byte* a, const std::byte* b, std::size_t bytes,
                             crypto::Digest& digest_a, crypto::Digest& digest_b) {
    const auto message = bytes + 1;
    const auto inside = message >= kChunk ? message / kChunk - 1 : 0;
    const std::size_t last = message % kChunk + 9 > kChunk ? 2 : 1;
    const auto ends_a = ends_of(prefix, a, bytes, inside, last),
               ends_b = ends_of(prefix, b, bytes, inside, last);
    auto state_a = first_state(), state_b = first_state();
    if (message >= kChunk) {
        compress_pair(state_a, state_b, ends_a.first.data(), ends_b.first.data(), 1);
        compress_pair(state_a, state_b, a + kChunk - 1, b + kChunk - 1, inside);
    }
    compress_pair(state_a, state_b, ends_a.last.data(), ends_b.last.data(), last);
    digest_a = digest_of(state_a);
    digest_b = digest_of(state_b);
}

#undef MODELSEAL_SHA

#else

bool can_hash_pairs() {
    return false;
}

void hash_pair(std::byte, const std::byte*, const std::byte*, std::size_t, crypto::Digest&, crypto::Digest&) {}

#endif

}  // namespace modelseal::hash
