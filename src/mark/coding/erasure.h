// An erasure code for the manifest: pieces of which any half (and often fewer) give back the whole.
//
// The bytes are cut into k = ceil(length / piece) data pieces, the last one padded with zeros. Piece i belongs
// to stripe i mod s, where s = ceil(k / 64), and is row i / s of it, modulo 255. A stripe of d data rows is a
// systematic Cauchy Reed-Solomon code over GF(2^8), polynomial x^8 + x^4 + x^3 + x^2 + 1: row r >= d is the sum
// over its data rows j of data[j] / (r xor j). Any d different rows of a stripe determine it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace modelseal::mark {

// How pieces of `piece_bytes` each stand for `length` bytes. Precondition: both are above 0.
class Erasure {
  public:
    Erasure(std::size_t length, std::size_t piece_bytes);

    std::size_t data_pieces() const { return data_pieces_; }

    // Piece `index` of the code word of `bytes`, which has the length.
    std::vector<std::byte> piece(std::span<const std::byte> bytes, std::uint64_t index) const;

    struct Piece {
        std::uint64_t index = 0;
        std::span<const std::byte> bytes;  // piece_bytes
    };
    // The bytes again; nothing if too few different rows of some stripe are there. Of two pieces of one row the
    // first counts.
    std::optional<std::vector<std::byte>> restore(std::span<const Piece> pieces) const;

  private:
    std::size_t data_rows(std::size_t stripe) const;
    bool restore_stripe(std::size_t stripe, std::span<const Piece> rows, std::span<std::byte> out) const;

    std::size_t length_;
    std::size_t piece_bytes_;
    std::size_t data_pieces_;
    std::size_t stripes_;
};

}  // namespace modelseal::mark
