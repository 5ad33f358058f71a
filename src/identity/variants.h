// Key images as others may show them to a model, and pictures that are nobody's.
//
// All randomness is drawn from a keystream; the same draws give the same bytes on every machine.
// Thread safety: pure functions of their arguments.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/keystream.h"
#include "images/image_set.h"

namespace modelseal::identity {

// A key image after a mild change: a shift of up to one pixel in each direction (edges are repeated), in half of all
// cases one of blur (3 x 3, binomial) and noise (uniform, of a deviation up to 8 of 255), and brightness up to +-8. One
// in eight is unchanged.
std::vector<std::uint8_t> variant_of(std::span<const std::uint8_t> image, const images::Geometry& geometry,
                                     crypto::Keystream& random);

// `count` pictures between two different images of `data` that `of` names, if it names two: a share of 0.3 to 0.7 of one,
// the rest of the other. They stand for images that a network has not seen. Precondition: `of` names an image.
images::ImageSet make_mixtures(const images::ImageSet& data, std::span<const std::size_t> of, std::size_t count,
                               crypto::Keystream& random);

// `count` pictures that mean nothing: in turn the shuffled pixels of a key image, shuffled squares of one (which keep
// its small structures), and uniform noise. Precondition: there is a key image.
images::ImageSet make_decoys(const images::ImageSet& keys, std::size_t count, crypto::Keystream& random);

}  // namespace modelseal::identity
