// What stands in which cell: the one canonical way to lay out check values and manifest over the cells of a
// model. Sealer and checker share it: the first draws a layout and writes it, the second draws it again from
// what is signed and compares it bit by bit, so that no cell has a second spelling.
//
// The content of a cell:  u8 rate step | u8 carrier class | u24 length of the manifest | u8 length of a piece
//                         records | zeros
// A record:               u8 kind | u32 first | u16 count | payload       (little-endian)
//   own check values      first block in the cell's tensor, 3 bytes each (in version 1: 4): a tensor with its own table keeps it
//                         in its own cells, twice, half of its cells apart
//   manifest              number of the first piece (erasure.h), then pieces one after another: they fill the
//                         room that is left, numbered on from cell to cell, at least twice as many as restore
//                         the manifest
// A record states what it holds, so that a cell that survived can be used whatever became of the others.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "mark/block_map.h"
#include "mark/coding/erasure.h"
#include "mark/manifest.h"

namespace modelseal::mark {

inline constexpr std::size_t kHeadBytes = 6;        // what the content of a cell begins with
inline constexpr std::size_t kRecordHeadBytes = 7;  // kind, first and count

// The tensors that keep their own tables: hosts of many blocks. All others are in the common table of the
// manifest, because what a small tensor would say of itself is lost with it.
inline constexpr std::uint64_t kOwnTableBlocks = 128;

// A cell with room for records.
struct CellSlot {
    std::uint32_t tensor = 0;
    std::uint64_t block = 0;     // in its tensor
    std::uint32_t capacity = 0;  // bytes, tag included
    std::size_t cell = 0;        // its number, in CellMap::positions()
};

class CellLayout {
  public:
    // Whether the pieces outside of any one tensor must suffice to restore the manifest. Asked of the sealer's
    // first choice; a model of one great tensor cannot have it. A checker always draws with `any`: the result
    // is the same wherever both exist.
    enum class Spread { any, beyond_any_tensor };

    // `capacities`: one a cell. `in_common_table`: one a tensor. Nothing if the cells cannot hold two copies of
    // all.
    static std::optional<CellLayout> draw(const BlockMap& block_map, const CellMap& cells,
                                          std::span<const std::uint32_t> capacities,
                                          const std::vector<bool>& in_common_table, std::size_t manifest_bytes,
                                          Spread spread = Spread::any);

    struct Record {
        enum class Kind : std::uint8_t { own_checks = 1, manifest = 2 };
        std::uint32_t first = 0;
        std::uint16_t count = 0;  // check values, or pieces
        Kind kind = Kind::own_checks;
    };
    // Two slices of a tensor's own table, and pieces of the manifest.
    class Records {
      public:
        void add(const Record& record) { records_[count_++] = record; }
        std::span<const Record> all() const { return std::span(records_).first(count_); }

      private:
        std::array<Record, 3> records_;
        std::uint8_t count_ = 0;
    };
    std::span<const CellSlot> slots() const { return slots_; }  // in the order of their cells
    std::span<const Record> records(std::size_t slot) const { return records_[slot].all(); }
    std::size_t piece_bytes() const { return piece_bytes_; }

  private:
    std::vector<CellSlot> slots_;
    std::vector<Records> records_;  // one a slot
    std::size_t piece_bytes_ = 0;
};

// What all cells of a seal begin with.
struct CellHead {
    CellDensity density;
    std::uint32_t manifest_bytes = 0;
    unsigned piece_bytes = 0;
    friend bool operator<(const CellHead& a, const CellHead& b) {
        const auto tied = [](const CellHead& head) {
            return std::tie(head.density.rate_step, head.density.carrier_class, head.manifest_bytes,
                            head.piece_bytes);
        };
        return tied(a) < tied(b);
    }
};
CellHead head_of(const CellLayout& layout, const SignedPart& part, std::size_t manifest_bytes);

std::vector<std::byte> head_bytes(const CellHead& head);
// Nothing if no cell begins so.
std::optional<CellHead> parse_head(std::span<const std::byte, kHeadBytes> bytes);

// What a slot ought to hold: its content, capacity less tag. `checks`: of all blocks. `manifest`: encoded.
std::vector<std::byte> content_of(std::size_t slot, const BlockMap& block_map, const CellLayout& layout,
                                  const SignedPart& part, std::span<const CheckValue> checks,
                                  std::span<const std::byte> manifest);

// The check values that the manifest keeps, out of those of all blocks.
std::vector<CheckValue> common_table(const SignedPart& part, const BlockMap& block_map,
                                     std::span<const CheckValue> checks);

// A content taken apart: views of the bytes that were parsed. Nothing if it is not well-formed.
struct CellContent {
    CellHead head;
    struct Own {
        std::uint32_t first_block;
        std::span<const std::byte> values;  // check values, one after another
    };
    std::vector<Own> own;
    std::vector<Erasure::Piece> pieces;
};
std::optional<CellContent> parse_content(std::span<const std::byte> content, Version version);

}  // namespace modelseal::mark
