// On which grid the floats of a block lie, if on any: what the sealer asks before it lets a block carry. Values
// that are not noise in their lowest bits (+-1, integers, tables, multiples of a quantizer's step, decimals) must
// stay what they are, and would show a mark. A checker does not ask: the manifest says which cells carry, and
// on which grid.
#pragma once

#include <optional>
#include <span>

#include "mark/coding/carrier.h"
#include <modelseal/tensor.h>

namespace modelseal::mark {

// How values may look that carry.
enum class Cover {
    hidden,  // noise down to the last bit: nothing tells those with a mark from others
    // Also uneven in their last bits, where sums were rounded or cancelled out (the mean of two checkpoints, a merged adapter): they lie on no
    // grid, so a mark costs them nothing; but it can be seen.
    harmless,
};

// The grid of the smallest float type that has 99 in 100 of the block's normal values, if on it
//   - their lowest bits, four of them (two of bf16), are uniform (chi-squared),
//   - no value occurs more often than its neighbor, beyond chance,
//   - runs of up to eight values, within a row, a channel or a kernel, or across them, are not multiples of a
//     step, up to 255 times,
//   - they are not decimals of up to six digits.
// Of Cover::harmless, in the place of the first two, on the own grid of f32 and f64 alone: at most 85 % of the values are even and 25 % multiples of 16
// in their last place, and 9 in 10 are different.
// Nothing otherwise. For types that are not floats Grid::own: their carriers are chosen one by one (quantized.h).
// `block`: dense bytes of consecutive elements of `tensor`, from element `first` on.
std::optional<Grid> noise_grid(const Tensor& tensor, std::uint64_t first, std::span<const std::byte> block,
                               Cover cover = Cover::hidden);

}  // namespace modelseal::mark
