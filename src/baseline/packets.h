// Wavelet packets on doubles, for the deepisign scheme; the modelseal scheme has an integer transform
// (mark/coding/wavelet.h). One level is Daubechies' orthogonal wavelet of order 2 (db2, four taps), the signal
// taken as periodic. It is applied five times, to both halves each time, which gives 32 sub-bands.
//
// Alignment and signs are those that signal-processing tools call "periodization":
//   low[k]  = sum over m of kDb2LowPass[m]  * signal[(2k - 1 + m) mod length]
//   high[k] = sum over m of kDb2HighPass[m] * signal[(2k - 1 + m) mod length]
// The transform is orthogonal, so merging is its transpose, and an error of e in a coefficient is an error of
// norm e in the signal.
//
// The bands stand one after another in natural order: the path from the first level to the last, low = 0 and
// high = 1, is the band's number in binary. Counted from 1 as the paper does, bands 1-16 descend from the
// low-pass half of the first level and bands 17-32 from its high-pass half.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace modelseal::baseline {

// (1 + sqrt 3, 3 + sqrt 3, 3 - sqrt 3, 1 - sqrt 3) / (4 sqrt 2): Daubechies, "Orthonormal bases of compactly
// supported wavelets", 1988, table 1, N = 2.
inline constexpr std::array<double, 4> kDb2LowPass = {0.482962913144534143, 0.836516303737807906,
                                                      0.224143868042013381, -0.129409522551260381};
// The quadrature mirror of the low-pass: kDb2HighPass[m] = (-1)^m kDb2LowPass[3 - m].
inline constexpr std::array<double, 4> kDb2HighPass = {kDb2LowPass[3], -kDb2LowPass[2], kDb2LowPass[1],
                                                       -kDb2LowPass[0]};

// Preconditions: signal.size() is even and at least 2; low and high have half of it each; no overlap.
void db2_split(std::span<const double> signal, std::span<double> low, std::span<double> high);

// The inverse of db2_split, up to rounding (about 1e-15 of the largest value).
void db2_merge(std::span<const double> low, std::span<const double> high, std::span<double> signal);

inline constexpr std::size_t kPacketBands = 32;  // 2^5

// In place. Precondition: the length is a positive multiple of kPacketBands; band b (from 0) then holds
// length / 32 coefficients from b * length / 32. Orthogonal: the sum of squares stays.
void packet_decompose(std::span<double> values);

// The inverse, up to rounding.
void packet_reconstruct(std::span<double> coefficients);

}  // namespace modelseal::baseline
