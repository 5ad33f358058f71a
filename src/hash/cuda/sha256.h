// SHA-256 (FIPS 180-4) of one block of a model by one thread, for the card and for the processor.
//
// A message is an optional prefix of one byte, then the block. With a prefix no word of the message lies on a word of the
// block, so each is picked from two neighboring words; without one the same instruction reverses the bytes of a word.
#pragma once

#include "hash/cuda/portable.h"

namespace modelseal::hash::cuda {

inline constexpr unsigned kChunk = 64;  // bytes that are compressed at a time
inline constexpr unsigned kNoPrefix = 256;

class BlockDigest {
  public:
    // `prefix`: a byte, or kNoPrefix.
    MODELSEAL_EVERYWHERE explicit BlockDigest(unsigned prefix)
        : before_(prefix << 24), selector_(prefix == kNoPrefix ? 0x4567 : 0x3456), shift_(prefix != kNoPrefix) {
        constexpr std::uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
        MODELSEAL_UNROLL
        for (int i = 0; i < 8; ++i) state_[i] = start[i];
    }

    // The next 64 bytes of the block, as little-endian words. `words` is overwritten.
    MODELSEAL_EVERYWHERE void add(std::uint32_t (&words)[16]) {
        const auto last = words[15];
        MODELSEAL_UNROLL
        for (int i = 15; i > 0; --i) words[i] = pick_bytes(words[i - 1], words[i], selector_);
        words[0] = pick_bytes(before_, words[0], selector_);
        before_ = last;
        compress(words);
    }

    // The end of the block, fewer than 64 bytes; `bytes`: of the complete block. `out`: the digest as eight big-endian
    // words, as numbers.
    MODELSEAL_EVERYWHERE void finish(const unsigned char* end, std::uint64_t bytes, std::uint32_t (&out)[8]) {
        const auto left =
            static_cast<unsigned>(bytes % kChunk) + shift_;  // of the message, with what was held back
        const auto bits = (bytes + shift_) * 8;
        const unsigned chunks = left + 9 > kChunk ? 2 : 1;
        for (unsigned chunk = 0; chunk < chunks; ++chunk) {
            std::uint32_t words[16];
            MODELSEAL_UNROLL
            for (unsigned i = 0; i < 16; ++i) {
                std::uint32_t word = 0;
                MODELSEAL_UNROLL
                for (unsigned k = 0; k < 4; ++k) {
                    word = (word << 8) | padded(end, chunk * kChunk + 4 * i + k, left);
                }
                words[i] = word;
            }
            if (chunk + 1 == chunks) {
                words[14] = static_cast<std::uint32_t>(bits >> 32);
                words[15] = static_cast<std::uint32_t>(bits);
            }
            compress(words);
        }
        MODELSEAL_UNROLL
        for (int i = 0; i < 8; ++i) out[i] = state_[i];
    }

  private:
    // Byte `at` after the last complete chunk of the message: of the block, the mark of its end, or zero.
    MODELSEAL_EVERYWHERE std::uint32_t padded(const unsigned char* end, unsigned at, unsigned left) const {
        if (at < shift_) return before_ >> 24;
        if (at < left) return end[at - shift_];
        return at == left ? 0x80 : 0;
    }

    // With the schedule in registers: all indices are known when it is compiled.
    MODELSEAL_EVERYWHERE void compress(std::uint32_t (&w)[16]) {
        constexpr std::uint32_t constants[64] = {
            0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
            0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
            0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
            0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
            0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
            0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
            0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
            0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
        std::uint32_t a = state_[0], b = state_[1], c = state_[2], d = state_[3];
        std::uint32_t e = state_[4], f = state_[5], g = state_[6], h = state_[7];
        MODELSEAL_UNROLL
        for (int i = 0; i < 64; ++i) {
            if (i >= 16) {
                const auto w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];
                w[i & 15] += (rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >> 3)) + w[(i + 9) & 15] +
                             (rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >> 10));
            }
            const auto t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) +
                            constants[i] + w[i & 15];
            const auto t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + t2;
        }
        state_[0] += a;
        state_[1] += b;
        state_[2] += c;
        state_[3] += d;
        state_[4] += e;
        state_[5] += f;
        state_[6] += g;
        state_[7] += h;
    }

    std::uint32_t state_[8];
    std::uint32_t before_;  // its highest byte is the one before the next chunk of the block
    std::uint32_t selector_;
    unsigned shift_;  // bytes of the prefix
};

// A warp of 32 threads keeps the next 64 bytes of each of its blocks in 128 slots of 16 bytes. The slot of part `part` (0 to
// 3) of block `owner`: so that both the eight threads that store two blocks and the eight that load their own parts meet
// all banks once.
MODELSEAL_EVERYWHERE unsigned slot_of(unsigned owner, unsigned part) {
    return owner * 4 + (part ^ ((owner >> 1) & 3));
}

}  // namespace modelseal::hash::cuda
