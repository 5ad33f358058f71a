// Whose mark is in a model? Asked of many check secrets at once, cheaply, and of a model most of which was
// changed.
//
// Under each secret some of the blocks are read where its seal would have cells. Two things are evidence:
//   valid cells     a tag of eight bytes that holds, and after it a content that is well-formed: by chance
//                   once in 2^64 tries;
//   alike openings  all cells of a seal begin with the same six bytes (CellHead): under the right secret they
//                   agree more than chance has it, also where every cell was changed in some of its values.
// Both are exact statements about keystreams: under any other secret, openings are independent random bits,
// whatever the model holds. The cells are read in rounds of growing number, tensor by tensor, so that the model
// is read once a round and memory does not grow with it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mark/layout.h"
#include "model/model.h"
#include <modelseal/keys.h>
#include <modelseal/progress.h>

namespace modelseal::mark {

// So often a model without any of the marks would have somebody named, over all secrets that are asked.
inline constexpr double kFalseAlarm = 1e-9;

struct FoundMark {
    std::size_t secret = 0;         // index into those that were asked
    std::uint64_t cells_read = 0;   // of those that would be cells of its seal, and have room
    std::uint64_t cells_valid = 0;  // of them
    CellHead head;                  // of a valid cell, else as most openings have it
    double chance = 0;  // at most: that a model without this mark shows as much under any of the secrets
};

struct FoundMarks {
    Version version = Version::two;
    std::uint64_t block_elements = 0;  // of the cut into blocks under which they were found
    std::vector<FoundMark> marks;      // the one with most valid cells first
};

// Cells to read under each secret, at most: so many that of those that survive where nine blocks in ten were
// overwritten, all are missed once in ten million times.
inline constexpr std::uint64_t kTraceCells = 160;

// No mark: an empty list. Stops early once one secret accounts for most cells. `progress` counts cells.
Result<FoundMarks> find_marks(const model::Model& model, std::span<const Secret32* const> secrets,
                              unsigned jobs, Progress& progress);

// A bound on the probability that random openings agree so well: `sum` is, over all bits of a head, the square
// of the difference between ones and zeros, divided by the number of openings. For tests.
double agreement_chance(double sum);

}  // namespace modelseal::mark
