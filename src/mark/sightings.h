// Whose mark is in a model? Asked of many check secrets at once, cheaply, and of a model most of which was
// changed.
//
// Under each secret some of the places are read where its seal would have cells. Two things are evidence:
//   whole places    a tag of eight bytes that holds, and behind it a content that is well-formed: by
//                   chance once in 2^64 tries;
//   alike openings  all cells of a seal begin with the same six bytes: under the right secret they agree
//                   more than chance has it, also where every place was changed in some of its values.
// Both are exact statements about keystreams: under any other secret, openings are independent random bits,
// whatever the model holds. The places are read in rounds of growing number, tensor by tensor, so that the
// model is read once a round and memory does not grow with it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "io/progress.h"
#include "mark/chart.h"
#include "model/model.h"
#include <modelseal/keys.h>

namespace modelseal::mark {

// So often a model without any of the marks would have somebody named, over all secrets that are asked.
inline constexpr double kFalseAlarm = 1e-9;

struct Sighting {
    std::size_t secret = 0;    // index into those that were asked
    std::uint64_t looked = 0;  // places that were read and have room
    std::uint64_t whole = 0;   // of them, that hold
    CellHead head;             // what they begin with: of a whole place, else as most openings have it
    double chance = 0;         // at most: that a model without this mark shows as much under any of the secrets
};

struct Sightings {
    std::uint64_t block_elements = 0;  // of the cut into blocks under which they were found
    std::vector<Sighting> found;       // the clearest first
};

// Places to read under each secret, at most: so many that of those that survive where nine blocks in ten were
// overwritten, all are missed once in ten million times.
inline constexpr std::uint64_t kTracePlaces = 160;

// Nothing found: an empty list. Stops early once one secret accounts for most places. `progress` is told
// places.
Result<Sightings> sightings(const model::Model& model, std::span<const Secret32* const> secrets, unsigned jobs,
                            io::Progress& progress);

// A bound on the probability that random openings agree so well: `sum` is, over all bits of a head, the square
// of the difference between ones and zeros, divided by the number of openings. For tests.
double agreement_chance(double sum);

}  // namespace modelseal::mark
