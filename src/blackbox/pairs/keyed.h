// The parts of a fingerprint that follow from the customer's key: functions of the outputs, starts, classes, the order of
// pixels.
//
// Everything is drawn from streams of HKDF-SHA-256(check secret, salt), with a new salt for each fingerprint:
// customers share nothing, nor do two fingerprints for one customer.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/keystream.h"
#include <modelseal/keys.h>

namespace modelseal::blackbox {

// A linear function of the outputs: weights normally distributed, of zero sum and unit norm; of a single output 1.
struct KeyedFunction {
    std::vector<double> weights;
    std::vector<std::uint32_t> outputs;  // that have them, ascending; empty: all
};
inline constexpr std::size_t kMostWeights = 1024;  // of one function; of more outputs a keyed choice counts

class Keyed {
  public:
    // `seeds`: pictures of the vendor's own (Plan); must outlive the object.
    Keyed(const Secret32& secret, std::span<const std::byte, 32> salt,
          std::span<const std::uint8_t> seeds = {});

    // Of path number `index`.
    KeyedFunction function(std::size_t index, std::size_t outputs) const;
    // Weights of the linear layer of the published stage 0, 2 x classes, uniform as in a new layer, without
    // zero sum.
    std::vector<double> published_layer(std::size_t classes) const;

    // Start number `index`: integers, uniform in [0, levels).
    std::vector<float> start(std::size_t index, std::size_t elements, unsigned levels) const;
    // The same of the kind (starts.h) whose turn it is; with seeds, every other time one of these.
    std::vector<float> picture(std::size_t index, std::span<const std::int64_t> shape, unsigned levels) const;
    // Another one of that kind, or another seed.
    std::vector<float> other_picture(std::size_t index, std::span<const std::int64_t> shape,
                                     unsigned levels) const;
    // The class whose border is searched from start number `index`.
    std::uint32_t target(std::size_t index, std::size_t classes) const;
    // A permutation of the elements of start number `index`.
    std::vector<std::uint32_t> order(std::size_t index, std::size_t elements) const;

  private:
    crypto::Keystream stream(std::string_view purpose, std::size_t index) const;
    bool is_seed(std::size_t index) const { return !seeds_.empty() && index % 2 == 1; }
    std::vector<float> drawn(std::string_view purpose, std::size_t index, std::span<const std::int64_t> shape,
                             unsigned levels) const;
    std::vector<float> seed(std::size_t index, int which, std::size_t elements, unsigned levels) const;
    Secret32 key_;
    std::span<const std::uint8_t> seeds_;
};

}  // namespace modelseal::blackbox
