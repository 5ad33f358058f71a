// A cell: the part of one block that carries mark bits, and the digest of the block that does not see them.
//
// A cell begins at a keyed place of its block and takes up to 1,024 values that may carry, around the block's
// end if need be. Its bits lie in keyed order, whitened by a keystream, after a tag that shows damage:
//     tag (8) | content (capacity - 8)
// A block of a cell is hashed with the mark bits blanked, so that the content can hold digests of its own
// block.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "crypto/hash.h"
#include "mark/coding/carrier.h"
#include <modelseal/tensor.h>

namespace modelseal::mark {

inline constexpr std::size_t kCellValues = 1024;
inline constexpr std::size_t kTagBytes = 8;
inline constexpr std::size_t kMinCellBytes = 48;  // a cell that would hold less carries nothing
inline constexpr unsigned kAttempts = 8;          // whitenings that may be tried
// A lattice value moves by at most so many units in the last place.
inline constexpr std::uint64_t kMaxSteps = 16;

// Which tensors have cells, and in how many of their blocks.
struct CellDensity {
    unsigned carrier_class = 0;  // types of this class and of lower ones carry (carrier.h)
    // A step of the ladder 2^(-(kRateSteps - step) / 8): step kRateSteps puts a cell into every block.
    unsigned rate_step = 0;
    friend auto operator<=>(const CellDensity&, const CellDensity&) = default;
};
inline constexpr unsigned kRateSteps = 40;

// Derived from the check secret for one tensor (block_map.h). Wiped by the destructor.
struct TensorKeys {
    std::array<std::byte, 32> blocks;  // which blocks have a cell
    std::array<std::byte, 32> order;   // where in the block, and in which order bits go to carriers
    std::array<std::byte, 32> whiten;
    std::array<std::byte, 32> tag;
    ~TensorKeys();
};

// Digest of a block that has no cell.
crypto::Digest plain_digest(crypto::Sha256& hash, std::span<const std::byte> block);

// What does not depend on the key: computed once where a block is read under many.
struct BlockValues {
    // `bytes`: dense little-endian bytes of at most 8,192 elements, which must outlive this unchanged.
    BlockValues(DType dtype, std::span<const std::byte> bytes);
    DType dtype;
    std::span<const std::byte> bytes;
    std::vector<std::uint32_t> able;  // elements (lattice) or byte positions (bits) that may carry, ascending
};

// Thread safety: none, not even for const calls.
class Cell {
  public:
    // `block`: dense little-endian bytes of at most 8,192 elements, which must outlive the cell unchanged
    // (write() and restore() work on a copy). `index`: of the block in its tensor.
    Cell(const TensorKeys& keys, DType dtype, std::uint64_t index, std::span<const std::byte> block)
        : Cell(keys, BlockValues(dtype, block), index) {}
    Cell(const TensorKeys& keys, const BlockValues& block, std::uint64_t index);

    // Bytes that the cell holds, tag included. 0: too few values that may carry; the block is hashed plainly.
    std::size_t capacity() const { return capacity_; }

    // Digest of the block that does not depend on the mark bits; plain_digest() if the capacity is 0.
    crypto::Digest digest(crypto::Sha256& hash) const;

    // The content after a tag that holds, and the whitening that was used; nothing if the cell is damaged or
    // was never written under these keys.
    struct Content {
        std::vector<std::byte> bytes;  // capacity() - kTagBytes
        unsigned attempt = 0;
    };
    std::optional<Content> read() const;

    // The first `count` bytes of what read() would look at under attempt 0, tag and content, valid or not. Much
    // cheaper than read(); `count` at most capacity().
    std::vector<std::byte> opening(std::size_t count) const;

    // The bits as they lie in the carriers, still whitened: what a receipt keeps.
    std::vector<std::byte> carrier_bits() const;
    // Tag and content under attempt 0, valid or not: for counting bit errors.
    std::vector<std::byte> unverified() const;

    // The block's bytes with `content` (capacity() - kTagBytes) written into its cell under whitening
    // `attempt`. Nothing if a value would leave its range or move by more than kMaxSteps: about one cell in a
    // hundred thousand, for which the next attempt (below kAttempts) is tried. The attempts of all cells are
    // part of what is signed.
    std::optional<std::vector<std::byte>> write(std::span<const std::byte> content, unsigned attempt) const;

    // The block's bytes with the carriers set to `bits` (capacity() bytes), as carrier_bits() gave them.
    std::vector<std::byte> restore(std::span<const std::byte> bits) const;

  private:
    std::vector<std::byte> sealed(std::span<const std::byte> content) const;  // tag | content
    std::vector<std::byte> whitened(std::span<const std::byte> bytes, unsigned attempt) const;
    bool acceptable(std::span<const std::byte> changed) const;
    std::vector<std::int64_t> integers() const;             // of the lattice, in the cell's order
    const std::vector<std::int64_t>& coefficients() const;  // transformed when first asked for
    std::vector<std::byte> carrier_bits(std::size_t count, std::span<const std::int64_t> coefficients) const;

    const TensorKeys& keys_;
    DType dtype_;
    CarrierKind kind_;
    std::uint64_t index_;
    std::span<const std::byte> block_;
    std::vector<std::uint32_t> values_;  // elements (lattice) or byte positions (bits), in the cell's order
    std::vector<std::uint32_t> order_;  // carriers in keyed order: coefficients (lattice) or indices of values_
    mutable std::vector<std::int64_t> coefficients_;  // lattice only; see coefficients()
    std::size_t capacity_ = 0;
};

}  // namespace modelseal::mark
