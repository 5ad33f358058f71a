// What the paper on deepisign varies in its experiments; the defaults are its choice and what every command uses. A
// reader needs the parameters that a mark was written with: nothing in the mark states them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace modelseal::baseline {

struct DeepisignParameters {
    // The watermark level: so many of the lowest bits of a coefficient's fourth decimal hide one bit each, 1 to 4.
    unsigned level = 2;
    // At most so many weights a transform; a multiple of 32 and at least 32.
    std::uint64_t transform_weights = 12'000;
    // A layer hides at most so many bits.
    std::uint64_t layer_bits = 8192;
};

}  // namespace modelseal::baseline
