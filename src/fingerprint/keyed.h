// What of a fingerprint follows from the customer's key: the direction, the starts, the classes, the order of
// pixels.
//
// Everything is drawn from streams of HKDF-SHA-256(check secret, salt), the salt fresh for each fingerprint:
// customers share nothing, nor do two fingerprints for one customer.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "crypto/keystream.h"
#include <modelseal/keys.h>

namespace modelseal::fingerprint {

class Keyed {
  public:
    Keyed(const Secret32& secret, std::span<const std::byte, 32> salt);

    // Weights of the boundary: normally distributed, zero sum, unit norm.
    std::vector<double> direction(std::size_t classes) const;
    // Weights of the linear layer of the published stage 0, 2 x classes, uniform as in a fresh layer: no zero
    // sum.
    std::vector<double> published_layer(std::size_t classes) const;

    // Start number `index`: whole numbers, uniform in [0, levels).
    std::vector<float> start(std::size_t index, std::size_t elements, unsigned levels) const;
    // The class whose border start number `index` looks for.
    std::uint32_t target(std::size_t index, std::size_t classes) const;
    // A permutation of the elements of start number `index`.
    std::vector<std::uint32_t> order(std::size_t index, std::size_t elements) const;

  private:
    crypto::Keystream stream(std::string_view purpose, std::size_t index) const;
    Secret32 key_;
};

}  // namespace modelseal::fingerprint
