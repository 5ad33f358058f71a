// Numbers for inputs that show what a network or an operator does: without a pattern, the same each time.
#pragma once

#include <cstdint>

namespace modelseal::libtorch {

class Patternless {
  public:
    explicit Patternless(std::uint32_t seed) : state_(seed) {}
    // In [0, 1), of 24 bits.
    float next() {
        state_ = state_ * 1664525u + 1013904223u;
        return static_cast<float>(state_ >> 8) / static_cast<float>(1u << 24);
    }

  private:
    std::uint32_t state_;
};

}  // namespace modelseal::libtorch
