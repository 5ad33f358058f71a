// What stands in which cell: the one canonical way to lay out check values and manifest over the cells of a
// model.
//
// The content of a cell:  u8 rate step | u8 carrier class | u24 length of the manifest | u8 length of a piece
//                         records | zeros
// A record:               u8 kind | u32 first | u16 count | payload       (little-endian)
//   own check values      first block in the cell's tensor, 4 bytes each: a tensor with its own table keeps it
//                         in its own cells, twice, half of its cells apart
//   manifest              number of the first piece (erasure.h), then pieces one after another: they fill the
//                         room that is left, numbered on from cell to cell, at least twice as many as restore
//                         the manifest
// A record states what it holds, so that a cell which survived can be used whatever became of the others; when a seal is checked, the whole chart is drawn again and compared bit by bit, so that no cell has a
// second spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "mark/erasure.h"
#include "mark/manifest.h"

namespace modelseal::mark {

// A cell that holds something. Cells are listed in canonical order: the first cell of every host, by tensor,
// then the second of each, and so on.
struct Place {
    std::uint32_t tensor = 0;
    std::uint64_t block = 0;     // in its tensor
    std::uint32_t capacity = 0;  // bytes, tag included
};

// The tensors that keep their own tables: hosts of many blocks. All others are in the common table of the
// manifest, because what a small tensor would say of itself is lost with it.
inline constexpr std::uint64_t kOwnTableBlocks = 8;

class Chart {
  public:
    // Whether the pieces outside of any one tensor must suffice to restore the manifest. Asked of the sealer's
    // first choice; a model of one great tensor cannot have it.
    enum class Spread { any, beyond_any_tensor };

    // `own_blocks[t]`: number of blocks of tensor t if it keeps its own table, else 0. Nothing if the places
    // cannot hold two copies of all.
    static std::optional<Chart> draw(std::span<const Place> places, std::span<const std::uint64_t> own_blocks,
                                     std::size_t manifest_bytes, Spread spread = Spread::any);

    struct Record {
        enum class Kind : std::uint8_t { own_checks = 1, manifest = 2 } kind;
        std::uint32_t first = 0;
        std::uint16_t count = 0;  // check values, or pieces
    };
    std::span<const Record> records(std::size_t place) const { return records_[place]; }
    std::size_t piece_bytes() const { return piece_bytes_; }

  private:
    std::vector<std::vector<Record>> records_;
    std::size_t piece_bytes_ = 0;
};

// What all cells of a seal begin with.
struct CellHead {
    unsigned rate_step = 0;
    unsigned carrier_class = 0;
    std::uint32_t manifest_bytes = 0;
    unsigned piece_bytes = 0;
    friend bool operator<(const CellHead& a, const CellHead& b) {
        return std::tie(a.rate_step, a.carrier_class, a.manifest_bytes, a.piece_bytes) <
               std::tie(b.rate_step, b.carrier_class, b.manifest_bytes, b.piece_bytes);
    }
};

inline constexpr std::size_t kHeadBytes = 6;
std::vector<std::byte> head_bytes(const CellHead& head);
// Nothing if no cell begins so.
std::optional<CellHead> parse_head(std::span<const std::byte, kHeadBytes> bytes);

// Content (capacity - tag) of one cell. `own` are all check values of its tensor.
std::vector<std::byte> cell_content(std::size_t bytes, const CellHead& head,
                                    std::span<const Chart::Record> records, std::span<const CheckValue> own,
                                    std::span<const std::byte> manifest);

// A content taken apart; nothing if it is not well-formed.
struct CellContent {
    CellHead head;
    struct Own {
        std::uint32_t first_block;
        std::vector<CheckValue> values;
    };
    std::vector<Own> own;
    std::vector<Erasure::Piece> pieces;  // views of the bytes that were parsed
};
std::optional<CellContent> parse_content(std::span<const std::byte> content);

}  // namespace modelseal::mark
