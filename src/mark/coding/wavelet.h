// Integer db2 wavelet packets by lifting (Daubechies, Sweldens: "Factoring wavelet transforms into lifting
// steps", 1998, section 7.5): every lifted product is rounded, so that inverse(forward(x)) == x for any
// integers of any length, on every machine, without floating point. Sums wrap modulo 2^64.
//
// The signal is taken as periodic. Where a length is odd, its last value joins the approximation unchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace modelseal::mark {

// In place; all 2^5 sub-bands lie one after another in natural order: the first half holds bands 1-16 (what
// descends from the approximation of the first level), the rest bands 17-32 (what descends from its detail).
inline constexpr int kPacketLevels = 5;

void packets_forward(std::span<std::int64_t> values, int levels = kPacketLevels);
// Only bands 17-32; before them lies the approximation of the first level.
void detail_packets_forward(std::span<std::int64_t> values, int levels = kPacketLevels);
// The other bands, after detail_packets_forward(): both together are packets_forward().
void approximation_packets_forward(std::span<std::int64_t> values, int levels = kPacketLevels);
void packets_inverse(std::span<std::int64_t> coefficients, int levels = kPacketLevels);

// How many of `length` coefficients lie in bands 17-32, at the end.
constexpr std::size_t detail_count(std::size_t length) {
    return length / 2;
}

}  // namespace modelseal::mark
