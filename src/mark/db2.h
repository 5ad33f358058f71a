// One level of Daubechies' orthogonal wavelet of order 2 (db2, four taps) on doubles, the signal taken as
// periodic. For the deepisign scheme only; the modelseal scheme has an integer transform (wavelet.h).
//
// Alignment and signs are those that signal-processing tools call "periodization":
//   low[k]  = sum over m of kDb2LowPass[m]  * signal[(2k - 1 + m) mod length]
//   high[k] = sum over m of kDb2HighPass[m] * signal[(2k - 1 + m) mod length]
// The transform is orthogonal, so merging is its transpose, and an error of e in a coefficient is an error of
// norm e in the signal.
#pragma once

#include <array>
#include <span>

namespace modelseal::mark {

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

}  // namespace modelseal::mark
