// What answers about key images prove.
//
// A model without the mark has no reason to answer the key images with one class. How often it might is taken
// from controls, pictures that are made from the key images and mean nothing: a model that answers everything,
// or everything unusual, with the class gains nothing. The bound on chance is
//
//     kControlRisk + P(X >= hits),  X binomial(key images, rate)
//     rate = max(1 / classes, upper bound of the controls' rate at confidence 1 - kControlRisk)
//
// with the bound of Clopper and Pearson (Biometrika 26, 1934), so that the sum holds whatever the rate is. It
// supposes that a model without the mark answers key images with the class not more often than the greater of
// these two rates: that nobody who lacks them made a class of this index to which such pictures belong.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <vector>

#include "io/png.h"

namespace modelseal::identity {

inline constexpr double kControlRisk = 1e-9;
// Of controls; with this many that are never answered with the class, six key images are enough for 1e-6.
inline constexpr std::size_t kLeastControls = 200;

// At least kLeastControls, and at least as many as there are key images: in turn the shuffled pixels of a key
// image, and uniform noise of its size. The same for the same key images. Precondition: there is one.
std::vector<io::Picture> make_controls(const std::vector<io::Picture>& key_images);

struct Chance {
    double rate = 1, chance = 1;
};
// `classes`: of the model, at least 1. Preconditions: hits <= key_images, control_hits <= controls > 0.
Chance chance_of(std::size_t hits, std::size_t key_images, std::size_t control_hits, std::size_t controls,
                 std::size_t classes);

}  // namespace modelseal::identity
