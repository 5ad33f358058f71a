// Which values of a block may carry mark bits, and how: the table of element types.
//
//   lattice  f32, f64: a float is mapped to the integer that orders it; a cell's integers go through the
//            wavelet packets, and the two lowest bits of detail coefficients carry.
//   bits     half and quantized types: the lowest bit of the element (or of the packed byte) carries directly.
//
// A value takes part by rules that its own mark bits cannot change, so that reader and sealer always agree:
// exact zeros, non-finite and tiny or huge floats never take part, nor does a quantized code whose neighbor is
// zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <modelseal/tensor.h>

namespace modelseal::mark {

enum class CarrierKind : std::uint8_t { none, lattice, bits };

// How dear a change is: tensors of a higher class carry only if those below do not offer enough room.
inline constexpr unsigned kFloats = 0;     // f32, f64
inline constexpr unsigned kHalves = 1;     // f16, bf16
inline constexpr unsigned kQuantized = 2;  // fp8, 8-bit and 4-bit integers, GGUF blocks
inline constexpr unsigned kClasses = 3;

struct CarrierType {
    CarrierKind kind = CarrierKind::none;
    unsigned carrier_class = kClasses;
};
CarrierType carrier_type(DType dtype);

// Byte positions in `block` (whole groups of `dtype`) whose lowest bit may carry, ascending. For
// CarrierKind::bits.
void bit_carriers(DType dtype, std::span<const std::byte> block, std::vector<std::uint32_t>& positions);

// Element indices that take part in the lattice, ascending. For CarrierKind::lattice.
void lattice_elements(DType dtype, std::span<const std::byte> block, std::vector<std::uint32_t>& elements);

// The integer that orders the float `element` of `block` (its bits, sign folded), and back. Only for values
// that lattice_elements() names. One step is one unit in the last place.
std::int64_t lattice_value(DType dtype, std::span<const std::byte> block, std::uint32_t element);
void set_lattice_value(DType dtype, std::span<std::byte> block, std::uint32_t element, std::int64_t value);

// True if `value` stays clear of the ends of the range by more than `steps`, so that a change of that size
// cannot make it leave.
bool lattice_clear(DType dtype, std::int64_t value, std::uint64_t steps);

}  // namespace modelseal::mark
