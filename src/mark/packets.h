// Wavelet packets: db2 applied five times, to both halves each time, which gives 32 sub-bands.
//
// The bands stand one after another in natural order: the path from the first level to the last, low = 0 and
// high = 1, is the band's number in binary. Counted from 1 as the paper does, bands 1-16 descend from the
// low-pass half of the first level and bands 17-32 from its high-pass half.
#pragma once

#include <cstddef>
#include <span>

namespace modelseal::mark {

inline constexpr std::size_t kPacketBands = 32;  // 2^5

// In place. Precondition: the length is a positive multiple of kPacketBands; band b (from 0) then holds
// length / 32 coefficients from b * length / 32. Orthogonal: the sum of squares stays.
void packet_decompose(std::span<double> values);

// The inverse, up to rounding.
void packet_reconstruct(std::span<double> coefficients);

}  // namespace modelseal::mark
