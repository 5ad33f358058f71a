// What the deepisign scheme hides in a layer: the secret s merged bit by bit with its SHA-256.
//
// s fills the layer's capacity, so that the hash covers every hidden bit:
//   s = facts | facts | .. (cut)  | stamp | length of the stamp, two bytes, low byte first
//   facts = "LAYER-NUMBER NAME DTYPE SHAPE\n", for example "12 conv1.weight f32 64x3x7x7\n"
//   hidden = s[0] h[0] s[1] h[1] .. the rest of the longer, each bit string from the highest bit of its first
//   byte on
// A stamp that does not fit is cut; the facts in front can always be rebuilt from the model, so bit
// errors can be counted even where no stamp was read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <modelseal/tensor.h>

namespace modelseal::baseline {

inline constexpr std::size_t kDeepisignMinStamp = 16;  // bytes; a layer with less room is not marked

// One hidden bit; `unknown` where it depends on a stamp that is not known.
enum class Bit : std::int8_t { zero = 0, one = 1, unknown = -1 };

class LayerSecret {
  public:
    // `bits`: the layer's capacity, a multiple of 8. `layer`: its number among the model's hidden layers.
    LayerSecret(const Tensor& tensor, std::uint64_t layer, std::size_t bits);

    // False if there is no room for the facts, the hash and kDeepisignMinStamp bytes of stamp.
    bool fits() const { return room_ >= kDeepisignMinStamp; }
    // The least capacity with which this layer would fit, in bits. A layer has a bit a weight, so weights as
    // well.
    std::size_t bits_needed() const;
    std::size_t stamp_room() const { return room_; }  // bytes

    // Precondition of all below: fits(). Bits that depend on an absent stamp are Bit::unknown.
    std::vector<Bit> hidden(std::optional<std::string_view> stamp) const;

    // The stamp, if the hash matches and s says what it ought to say about this layer.
    // Precondition: `hidden` has as many bits as the layer's capacity.
    std::optional<std::string> verify(std::span<const Bit> hidden) const;

  private:
    std::vector<std::byte> text(std::string_view stamp) const;  // s

    std::string facts_;
    std::size_t bits_;
    std::size_t bytes_ = 0;  // of s
    std::size_t room_ = 0;
};

// How what was read agrees with what was hidden, over the bits that are known.
struct Agreement {
    std::uint64_t bits = 0;
    std::uint64_t errors = 0;
    // Of the errors, if the bits read had nothing to do with those hidden (the same bits in random order).
    double mean = 0;
    double variance = 0;
    Agreement& operator+=(const Agreement& other);
    double error_rate() const {
        return bits == 0 ? 0 : static_cast<double>(errors) / static_cast<double>(bits);
    }
    // Chance cannot make so few errors: more than six standard deviations below the mean, one in a billion.
    bool significant() const;
};
// `level`: bits a coefficient.
Agreement compare_bits(std::span<const Bit> read, std::span<const Bit> hidden, unsigned level = 2);

}  // namespace modelseal::baseline
