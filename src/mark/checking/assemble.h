// The manifest, put together from the cells that survived.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "mark/checking/locate.h"
#include "mark/layout.h"
#include "mark/manifest.h"
#include "model/model.h"
#include <modelseal/keys.h>

namespace modelseal::mark {

// A cell whose tag holds, and its content. A valid tag says that a holder of the check key wrote the content, not
// that the vendor did, so it was parsed as hostile bytes.
struct ValidCell {
    std::size_t cell = 0;   // its number
    Grid grid = Grid::own;  // the first on which it is valid
    std::vector<std::byte> bytes;
    CellContent content;  // views of `bytes`
};

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

// What cells hold that were read on every grid on which they might carry.
struct FoundCells {
    std::vector<ValidCell> valid;      // of those that were read
    std::optional<Manifest> manifest;  // absent: too little of it survived
    bool accepted = false;
};

// Cells of these numbers, in this order, until they give a manifest that is accepted; else all of them. Twice as many each time,
// `least` at first, so that assembling costs no more than it would at the end.
Result<FoundCells> read_cells_until(const model::Model& model, const BlockMap& block_map, const CellMap& cells,
                                    std::span<const std::size_t> order, std::size_t least, unsigned jobs,
                                    const std::function<bool(const Manifest&)>& accepts);

// Whether the vendor of the key signed it, for a seal that is located so. Of a manifest that a holder of the check key wrote there
// may be some cells, and the vendor's in the others.
bool is_by_vendor(const Manifest& manifest, const CheckKey& key, const Located& where);

}  // namespace modelseal::mark
