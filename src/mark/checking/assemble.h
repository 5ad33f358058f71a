// The manifest, put together from the cells that survived.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "mark/layout.h"
#include "mark/manifest.h"
#include "model/model.h"

namespace modelseal::mark {

// A cell whose tag holds, and its content. A valid tag says that a holder of the check key wrote the content, not
// that the vendor did, so it was parsed as hostile bytes.
struct ValidCell {
    std::size_t cell = 0;  // its number
    std::vector<std::byte> bytes;
    CellContent content;  // views of `bytes`
};
// Nothing if the content is not well-formed.
std::optional<ValidCell> valid_cell(std::size_t cell, std::vector<std::byte> content, Version version);

// Pieces of the manifest, from the contents of cells. Cells with different heads were not written by one sealer, and pieces
// of two code words must not be mixed; the head with most pieces counts.
class ManifestPieces {
  public:
    // The bytes that the content views must outlive the pieces.
    void add(const CellContent& content);
    // Nothing if there are too few of them.
    std::optional<Manifest> assemble() const;

  private:
    std::map<CellHead, std::vector<Erasure::Piece>> by_head_;
};
std::optional<Manifest> assemble(std::span<const ValidCell> cells);

// The cell of this number, on the first grid on which it is valid; nothing if it is valid on none.
Result<std::optional<ValidCell>> read_cell_at(const model::Model& model, const BlockMap& block_map,
                                              const CellMap& cells, std::size_t number);

// Which cells of a seal of version 2 carry stands in its manifest, and the manifest in its cells: so all of them
// are read on every grid on which they might carry.
struct FoundCells {
    std::optional<Manifest> manifest;
    CellUse valid;  // the cells that were valid, and the grids on which they were
};
Result<FoundCells> read_all_cells(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                                  unsigned jobs);

}  // namespace modelseal::mark
