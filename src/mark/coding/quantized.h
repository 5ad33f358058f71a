// The codes of quantized types that carry, and how often their lowest bits are 1. Version 2 of the seal.
//
// A code's lowest bit carries if nothing depends on it: not in the pair {2k, 2k+1} that has the code of zero, nor in
// the pairs at the ends, where a quantizer forces the extreme value of a group or cuts off, nor next to the ends.
// Such a bit is still no fair coin: of two neighboring codes the one nearer to the mean is more frequent, and so is
// the one nearer to the codes beside it. A cell keeps that (modeled_bits.h). How often the bit is 1 follows from the
// numbers of codes in the pairs before and after, in the same block and the same class: the logarithm of a density
// is nearly a parabola, so its slope within a pair is that between the neighbors. And it follows from how alike the
// codes of the block are to those beside them, in a row or three places away, as in the kernels of a convolution. What is
// left was measured over 72 networks. Equal weights have equal codes, whose lowest bits would show a mark, so that a pair
// with many more than its neighbors does not carry, nor one that has too many of a group. No lowest bit counts, so what a
// cell does not change says what its bits are to be.
//
// The class of a code is 0, but in GGUF types that of its group, the codes of one scale: how far they are spread
// and, if the group has a minimum of its own, where their mean is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mark/coding/modeled_bits.h"
#include <modelseal/tensor.h>

namespace modelseal::mark {

struct QuantizedCarriers {
    std::vector<std::uint32_t> bits;  // of the block (bits.h) that carry, ascending
    std::vector<Chance> chances;      // how often each is 1
};

// A bit carries if enough codes show how often it is 1, and if that is between 6 and 26 in 32. `block`: whole groups of
// `dtype`, a type that carries (has_chances).
QuantizedCarriers quantized_carriers(DType dtype, std::span<const std::byte> block);

// Whether codes of this type carry: in q2_k and q3_k there are too few pairs.
bool has_chances(DType dtype);

}  // namespace modelseal::mark
