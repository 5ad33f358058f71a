// The deepisign scheme on one layer: its weights cut into transforms, bits in the coefficients of bands 17-32,
// and the order in which they go there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "baseline/deepisign_parameters.h"
#include "baseline/deepisign_secret.h"
#include "baseline/packets.h"
#include <modelseal/result.h>
#include <modelseal/tensor.h>

namespace modelseal::baseline {

// A layer's weights in row-major order, cut into transforms of nearly equal size: a multiple of 32 weights, by the
// published parameters at most 12,000 and at least 4,000 unless the layer has fewer. Up to 31 weights at the end stay
// as they are.
class LayerCut {
  public:
    explicit LayerCut(std::uint64_t weights, const DeepisignParameters& parameters = {})
        : parameters_(parameters), rows_(weights / kPacketBands) {}

    std::uint64_t transforms() const { return (rows_ + most_rows() - 1) / most_rows(); }
    std::uint64_t carriers() const { return rows_ * kPacketBands / 2; }  // coefficients of bands 17-32
    // What the layer hides: level() bits a carrier, at most `layer_bits`; whole bytes and whole symbols.
    std::size_t bits() const { return static_cast<std::size_t>(std::min(level() * carriers(), most_bits())); }
    bool full() const { return level() * carriers() >= most_bits(); }  // more weights hide no more
    unsigned level() const { return parameters_.level; }
    std::uint64_t first_weight(std::uint64_t transform) const { return first_row(transform) * kPacketBands; }
    std::size_t weights(std::uint64_t transform) const {
        return static_cast<std::size_t>(first_weight(transform + 1) - first_weight(transform));
    }
    std::uint64_t transform_of(std::uint64_t carrier) const;

  private:
    std::uint64_t most_rows() const { return parameters_.transform_weights / kPacketBands; }
    std::uint64_t most_bits() const { return parameters_.layer_bits - parameters_.layer_bits % (8 * level()); }
    std::uint64_t first_row(std::uint64_t transform) const;
    DeepisignParameters parameters_;
    std::uint64_t rows_;  // coefficients a band, all transforms together
};

// `count` distinct numbers below `available`, in the order in which a layer's symbols go into its carriers. The
// scramble vector nu has 256 random values, derived from the check secret; the layer's number shifts the index
// into it (paper, section 2.7), so layers 256 apart have the same order. Takes memory for `count`, not for
// `available`. Precondition: count <= available.
std::vector<std::uint64_t> scramble(std::span<const std::byte, 32> check_secret, std::uint64_t layer,
                                    std::uint64_t available, std::size_t count);

// A symbol (hidden bits of one coefficient, as many as the level) and the coefficient that carries it.
struct SymbolCarrier {
    std::uint64_t transform = 0;
    std::uint32_t coefficient = 0;  // in its transform, as packet_decompose() orders them
    std::uint32_t symbol = 0;       // hidden bits from level * symbol on
};

// Where the layer's bits go, sorted by transform.
std::vector<SymbolCarrier> carriers_of(const LayerCut& cut, std::span<const std::byte, 32> check_secret,
                                       std::uint64_t layer);

// One transform, on plain values. embed_transform() changes the weights, rounded to what `dtype` (f32 or f64)
// holds; false if they could not hold the symbols: not finite, or too large for four decimals. `hidden`: all
// bits of the layer. `level`: bits a symbol.
bool embed_transform(std::span<double> weights, std::span<const SymbolCarrier> carriers,
                     std::span<const Bit> hidden, unsigned level, DType dtype);
// Writes the bits that it finds into `hidden`. The weights are used up. Whatever they are, every bit comes out.
void read_transform(std::span<double> weights, std::span<const SymbolCarrier> carriers, unsigned level,
                    std::span<Bit> hidden);

// One layer, transform by transform; transforms that carry nothing are neither read nor written.
using LoadWeights = std::function<Result<void>(std::uint64_t first, std::span<double> out)>;
using StoreWeights = std::function<Result<void>(std::uint64_t first, std::span<const double> weights)>;
// Error kind `unsupported`, with no name in it, where embed_transform() is false.
Result<void> embed_layer(const LayerCut& cut, std::span<const SymbolCarrier> carriers,
                         std::span<const Bit> hidden, DType dtype, const LoadWeights& load,
                         const StoreWeights& store);
Result<std::vector<Bit>> read_layer(const LayerCut& cut, std::span<const SymbolCarrier> carriers,
                                    const LoadWeights& load);

}  // namespace modelseal::baseline
