// The pictures from which pairs are searched. Noise alone leaves many units of a network dead, and no pair made from it sees
// their weights: so there are several kinds in turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/keystream.h"

namespace modelseal::blackbox {

enum class StartKind : unsigned char {
    waves,     // in each plane of the last two dimensions a wave of any direction, length and contrast
    stripes,   // the same with two levels
    patches,   // discs and squares that cover each other, of any size and color
    uniform,   // noise over the whole range
    sparse,    // a tenth of the elements at the upper end, the others at the lower
    smooth,    // between the points of a coarse random grid, in each plane
    contrast,  // noise over a random part of the range
    binary,    // each element at one end of the range
};
inline constexpr std::size_t kStartKinds = 8;

// The kind of start number `turn`. Pictures with edges and areas, as networks have learnt to see them, show most of the weights,
// and come three times as often as the others, which show what these do not.
StartKind kind_in_turn(std::size_t turn);

std::size_t elements_of(std::span<const std::int64_t> shape);

// Integers in [0, levels), as many as `shape` has elements. A last dimension of up to 4 after two longer ones is that of colors.
// Precondition: levels > 1.
std::vector<float> draw_start(StartKind kind, std::span<const std::int64_t> shape, unsigned levels,
                              crypto::Keystream& stream);

}  // namespace modelseal::blackbox
