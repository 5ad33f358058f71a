// A cell: the part of one block that carries mark bits, and the digest of the block that does not see them.
//
// A cell begins at a keyed place of its block and takes up to 1,024 values that may carry, around the block's end if
// need be. In lowest bits it takes fewer; and of a block of 4,096 elements it has one half as its window, which is keyed as
// well. What carries in a window follows from its values alone, so that the cell outlives whatever happens to the other
// half. In longer blocks there are more small values to choose from, whose steps are small. The bits of a cell lie in keyed order,
// whitened by a keystream, after a tag that shows damage:
//     tag (8) | content (capacity - 8)
// Of a quantized type (CarrierKind::modeled) its carriers hold more than tag and content; what is left stands for
// more of the keystream, so that every carrier bit has one right value.
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
#include "crypto/keystream.h"
#include "mark/coding/carrier.h"
#include "mark/coding/modeled_bits.h"
#include <modelseal/tensor.h>

namespace modelseal::mark {

inline constexpr std::size_t kCellValues = 1024;
// In lowest bits less: fewer changes in a cell make more cells for as many, which outlive more damage.
inline constexpr std::size_t kLowestBitCellValues = 576;
inline constexpr std::size_t kWindowedCellValues = 448;
inline constexpr std::uint64_t kWindowedBlock = 4096;  // elements of a block with two windows
inline constexpr std::size_t kTagBytes = 8;
inline constexpr std::size_t kMinCellBytes = 48;           // a cell that would hold less carries nothing
inline constexpr std::size_t kMinLowestBitCellBytes = 40;  // in lowest bits, since version 2
inline constexpr unsigned kAttempts = 8;                   // whitenings that may be tried
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

// Digest of a block that has no cell: SHA-256(kPlainBlock | block).
inline constexpr std::byte kPlainBlock{1};
crypto::Digest plain_digest(crypto::Sha256& hash, std::span<const std::byte> block);

// Bytes that a cell holds at the most in a block of so many elements.
std::uint32_t full_capacity(const Carriers& carriers, std::uint64_t elements);

// In which window of a block of so many bytes its cell lies.
std::size_t cell_window(const TensorKeys& keys, const Carriers& carriers, std::uint64_t index,
                        std::size_t bytes);

// What does not depend on the key but for the window: computed once where a block is read under many.
struct BlockValues {
    // `bytes`: dense little-endian bytes of at most 8,192 elements, which must outlive this unchanged.
    BlockValues(const Carriers& carriers, std::span<const std::byte> bytes, std::size_t window);
    Carriers carriers;
    std::span<const std::byte> bytes;
    std::vector<std::uint32_t>
        able;                     // elements (lattice) or bits of the block (bits.h) that may carry, ascending
    std::vector<Chance> chances;  // of CarrierKind::modeled: how often each bit is 1
};

// Thread safety: none, not even for const calls.
class Cell {
  public:
    // `block`: dense little-endian bytes of at most 8,192 elements, which must outlive the cell unchanged
    // (write() and restore() work on a copy). `index`: of the block in its tensor.
    Cell(const TensorKeys& keys, const Carriers& carriers, std::uint64_t index,
         std::span<const std::byte> block)
        : Cell(keys, BlockValues(carriers, block, cell_window(keys, carriers, index, block.size())), index) {}
    // Precondition: `block` is of the cell's window.
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

    // The bits as they lie in the carriers: what a receipt keeps. carrier_bytes() of them.
    std::vector<std::byte> carrier_bits() const;
    std::size_t carrier_bytes() const;
    // Tag and content under attempt 0, valid or not: for counting bit errors.
    std::vector<std::byte> unverified() const;

    // The block's bytes with `content` (capacity() - kTagBytes) written into its cell under whitening
    // `attempt`. Nothing if a value would leave its range or move by more than kMaxSteps, or if the carriers
    // happen to hold less than they should: a rare cell, for which the next attempt (below kAttempts) is
    // tried. The attempts of all cells are part of what is signed.
    std::optional<std::vector<std::byte>> write(std::span<const std::byte> content, unsigned attempt) const;

    // The block's bytes with the carriers set to `bits`, as carrier_bits() gave them.
    std::vector<std::byte> restore(std::span<const std::byte> bits) const;

  private:
    void choose_values(std::span<const std::uint32_t> able, std::size_t offered, std::size_t start);
    void choose_modeled(const BlockValues& block, std::size_t start, crypto::Keystream& stream);
    void choose_plain(const BlockValues& block, std::size_t start, crypto::Keystream& stream);

    std::vector<std::byte> sealed(std::span<const std::byte> content) const;  // tag | content
    // `bytes`, the first of the cell, combined with the keystream of an attempt.
    std::vector<std::byte> whitened(std::span<const std::byte> bytes, unsigned attempt) const;
    // The carriers that hold `bytes`, whitened under `attempt`, and no other bits.
    std::vector<std::byte> carriers_for(std::span<const std::byte> bytes, unsigned attempt) const;
    // The first `count` bytes that carriers stand for, still whitened.
    std::vector<std::byte> held(std::size_t count) const;
    bool acceptable(std::span<const std::byte> changed) const;
    // Of the lattice, transformed when first asked for. Of detail() only the detail is of use: all that carries is there.
    const std::vector<std::int64_t>& coefficients() const;
    const std::vector<std::int64_t>& detail() const;
    std::vector<std::byte> carrier_bits(std::size_t count, std::span<const std::int64_t> coefficients) const;

    const TensorKeys& keys_;
    Carriers carriers_;
    CarrierKind kind_;
    std::uint64_t index_;
    std::span<const std::byte> block_;
    std::vector<std::uint32_t> values_;  // elements (lattice) or bits of the block, in the cell's order
    std::vector<std::uint32_t> order_;  // carriers in keyed order: coefficients (lattice) or indices of values_
    std::vector<Chance> chances_;       // of CarrierKind::modeled, in keyed order
    // Of the lattice only: integers in the cell's order, and as much of their coefficients as was asked for.
    std::vector<std::int64_t> integers_;
    mutable std::vector<std::int64_t> coefficients_;
    mutable bool complete_ = false;
    std::size_t capacity_ = 0;
};

}  // namespace modelseal::mark
