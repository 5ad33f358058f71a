// Integer db2 wavelet packets (mark/coding/wavelet.h) by a team of threads, for the card and for the processor: all bands
// of a level at once, each by its share of the team. The values and the order of bands are those of packets_forward().
//
// A Team has rank() in [0, size()), a size() that is a power of two, and sync(), which all of its threads call: after it
// each sees what the others wrote.
#pragma once

#include "hash/cuda/portable.h"

namespace modelseal::hash::cuda {

// round(constant * value / 2^30) modulo 2^64, halves upwards; see wavelet.cc.
MODELSEAL_EVERYWHERE std::uint64_t lift(std::int64_t constant, std::uint64_t value) {
    constexpr int fraction = 30;
    const auto high = static_cast<std::uint64_t>(static_cast<std::int64_t>(value) >> fraction);
    const auto low = static_cast<std::int64_t>(value & ((std::uint64_t{1} << fraction) - 1));
    const auto rounded = (constant * low + (std::int64_t{1} << (fraction - 1))) >> fraction;
    return static_cast<std::uint64_t>(constant) * high + static_cast<std::uint64_t>(rounded);
}

struct Band {
    unsigned start, size;
};

// Band `number` of the 2^level that `size` values have at this level, in natural order.
MODELSEAL_EVERYWHERE Band band_of(unsigned size, int level, unsigned number) {
    Band band{0, size};
    for (int bit = level - 1; bit >= 0; --bit) {
        const auto approximation = band.size - band.size / 2;
        if ((number >> bit) & 1) {
            band.start += approximation;
            band.size -= approximation;
        } else {
            band.size = approximation;
        }
    }
    return band;
}

// values -> approximation | detail, by threads `lane`, `lane` + `width` ... of the band. A band of fewer than two values
// stays; its threads call sync() as often as others.
template <class Team>
MODELSEAL_EVERYWHERE void split(const Team& team, std::uint64_t* values, std::uint64_t* scratch, unsigned size,
                                unsigned lane, unsigned width) {
    constexpr std::int64_t sqrt3 = 1859775393, sqrt3_quarter = 464943848, minus2_quarter = -71927064;
    constexpr std::int64_t scale_minus1 = -517932157, minus_inverse_scale = -2074309917,
                           scale_minus_square = 268101413;
    const auto pairs = size / 2;
    auto* const low = scratch;
    auto* const high = scratch + pairs;
    for (auto i = lane; i < pairs; i += width) {
        high[i] = values[2 * i + 1];
        low[i] = values[2 * i] + lift(sqrt3, high[i]);
    }
    const auto last = size == 0 ? 0 : values[size - 1];
    team.sync();
    for (auto i = lane; i < pairs; i += width) {
        high[i] -= lift(sqrt3_quarter, low[i]) + lift(minus2_quarter, low[i == 0 ? pairs - 1 : i - 1]);
    }
    team.sync();
    for (auto i = lane; i < pairs; i += width) low[i] -= high[i + 1 == pairs ? 0 : i + 1];
    team.sync();
    const auto odd = size % 2;
    for (auto i = lane; i < pairs; i += width) {
        high[i] += low[i];
        low[i] += lift(scale_minus1, high[i]);
        high[i] += lift(minus_inverse_scale, low[i]);
        low[i] += lift(scale_minus_square, high[i]);
        values[i] = low[i];
        values[pairs + odd + i] = high[i];
    }
    if (lane == 0 && odd != 0) values[pairs] = last;
    team.sync();
}

// In place; `scratch`: room for as many values.
template <class Team>
MODELSEAL_EVERYWHERE void packets_forward(const Team& team, std::uint64_t* values, std::uint64_t* scratch,
                                          unsigned size, int levels) {
    for (int level = 0; level < levels; ++level) {
        const auto bands = 1u << level;
        const auto groups = bands < team.size() ? bands : team.size();
        const auto width = team.size() / groups;
        for (auto number = team.rank() / width; number < bands; number += groups) {
            const auto band = band_of(size, level, number);
            split(team, values + band.start, scratch + band.start, band.size, team.rank() % width, width);
        }
    }
}

}  // namespace modelseal::hash::cuda
