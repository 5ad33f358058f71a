// The deepisign scheme on one layer: its weights cut into transforms, and bits in the coefficients of bands
// 17-32.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "mark/deepisign_secret.h"
#include "mark/packets.h"
#include <modelseal/result.h>
#include <modelseal/tensor.h>

namespace modelseal::mark::deepisign {

inline constexpr std::size_t kTransformWeights = 12'000;  // at most so many weights a transform

// A layer's weights in row-major order, cut into transforms of nearly equal size: a multiple of 32 weights, at
// most 12,000, at least 4,000 unless the layer has fewer. Up to 31 weights at the end stay as they are.
class LayerCut {
  public:
    explicit LayerCut(std::uint64_t weights) : rows_(weights / kPacketBands) {}

    std::uint64_t transforms() const { return (rows_ + kMaxRows - 1) / kMaxRows; }
    std::uint64_t carriers() const { return rows_ * kPacketBands / 2; }  // coefficients of bands 17-32
    // What the layer hides: two bits a carrier, at most kDeepisignBits; a multiple of 32.
    std::size_t bits() const {
        return static_cast<std::size_t>(std::min<std::uint64_t>(2 * carriers(), kDeepisignBits));
    }
    std::uint64_t first_weight(std::uint64_t transform) const { return first_row(transform) * kPacketBands; }
    std::size_t weights(std::uint64_t transform) const {
        return static_cast<std::size_t>(first_weight(transform + 1) - first_weight(transform));
    }
    std::uint64_t transform_of(std::uint64_t carrier) const;

  private:
    static constexpr std::uint64_t kMaxRows = kTransformWeights / kPacketBands;
    std::uint64_t first_row(std::uint64_t transform) const;
    std::uint64_t rows_;  // coefficients a band, all transforms together
};

// A symbol (two hidden bits) and the coefficient that carries it.
struct Placement {
    std::uint64_t transform = 0;
    std::uint32_t coefficient = 0;  // in its transform, as packet_decompose() orders them
    std::uint32_t symbol = 0;       // hidden bits 2 * symbol and 2 * symbol + 1
};

// Where the layer's bits go, sorted by transform.
std::vector<Placement> place(const LayerCut& cut, std::span<const std::byte, 32> check_secret,
                             std::uint64_t layer);

// One transform, on plain values. embed() changes the weights, rounded to what `dtype` (f32 or f64) holds;
// false if they could not hold the symbols: not finite, or too large for four decimals. `hidden`: all bits of
// the layer.
bool embed(std::span<double> weights, std::span<const Placement> placements, std::span<const Bit> hidden,
           DType dtype);
// Writes the bits that it finds into `hidden`. The weights are used up. Whatever they are, every bit comes out.
void read(std::span<double> weights, std::span<const Placement> placements, std::span<Bit> hidden);

// One layer, transform by transform; transforms that carry nothing are neither read nor written.
using LoadWeights = std::function<Result<void>(std::uint64_t first, std::span<double> out)>;
using StoreWeights = std::function<Result<void>(std::uint64_t first, std::span<const double> weights)>;
// Error kind `unsupported`, with no name in it, where embed() of a transform is false.
Result<void> embed_layer(const LayerCut& cut, std::span<const Placement> placements,
                         std::span<const Bit> hidden, DType dtype, const LoadWeights& load,
                         const StoreWeights& store);
Result<std::vector<Bit>> read_layer(const LayerCut& cut, std::span<const Placement> placements,
                                    const LoadWeights& load);

}  // namespace modelseal::mark::deepisign
