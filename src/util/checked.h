// Arithmetic on numbers that a file or a server states.
#pragma once

#include <cstdint>
#include <span>

namespace modelseal::util {

// False if the result does not fit 64 bits.
bool checked_add(std::uint64_t a, std::uint64_t b, std::uint64_t& sum);
bool checked_mul(std::uint64_t a, std::uint64_t b, std::uint64_t& product);

// Infinite beyond the range of float, where a conversion would be undefined.
float to_float(double value);

// The product of the dimensions; false on overflow. A scalar has one element.
bool element_count(std::span<const std::uint64_t> shape, std::uint64_t& elements);

}  // namespace modelseal::util
