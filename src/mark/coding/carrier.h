// Which values of a block may carry mark bits, and how: the table of element types.
//
//   lattice  f32, f64: a float is mapped to the integer that orders it; a cell's integers go through the
//            wavelet packets, and the two lowest bits of detail coefficients carry.
//   bits     halves, and floats on the grid of a smaller type: the lowest bit on that grid carries directly.
//   modeled  quantized types: the lowest bit of a code carries, as often 1 as the codes around it suggest
//            (quantized.h). In version 1 it carries directly.
//
// A value takes part by rules that its own mark bits cannot change, so that reader and sealer always agree:
// exact zeros, non-finite and tiny or huge floats never take part, nor does a quantized code whose neighbor is
// zero, or that a quantizer must have made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <modelseal/tensor.h>

namespace modelseal::mark {

// Of the format of seals. Sealers write the second; the first is read.
enum class Version : std::uint8_t { one = 1, two = 2 };

// The floats of a tensor may all be values of a smaller type: halves stored as f32. Such a tensor carries on
// that grid, in the lowest bit that the smaller type has, so that its values stay what they are.
enum class Grid : std::uint8_t { own = 0, f32 = 1, f16 = 2, bf16 = 3 };

enum class CarrierKind : std::uint8_t { none, lattice, bits, modeled };

// How the values of one tensor carry.
struct Carriers {
    Version version = Version::two;
    DType dtype = DType::f32;
    Grid grid = Grid::own;
};
CarrierKind carrier_kind(const Carriers& carriers);

// The grids on which values of `dtype` can carry, its own first. In version 1 there was no other.
std::span<const Grid> grids_of(Version version, DType dtype);

// How dear a change is: tensors of a higher class carry only if those below do not offer enough room.
inline constexpr unsigned kFloats = 0;     // f32, f64
inline constexpr unsigned kHalves = 1;     // f16, bf16
inline constexpr unsigned kQuantized = 2;  // fp8, 8-bit and 4-bit integers, GGUF blocks
inline constexpr unsigned kClasses = 3;    // of types that never carry
unsigned carrier_class(DType dtype);

// Bits of a float below its sign: what of it is a step of which size.
struct FloatFormat {
    unsigned mantissa_bits = 0;
    unsigned exponent_bits = 0;
};
// Precondition: a float of 16 bits or more.
FloatFormat float_format(DType dtype);
FloatFormat float_format(DType dtype, Grid grid);
// The lowest bits of a `dtype` that are zero in every value of the grid.
unsigned zero_bits(DType dtype, Grid grid);

// How many floats of `block` are normal values of the grid; 0 for any type but floats of 16 bits or more.
std::size_t values_on_grid(DType dtype, Grid grid, std::span<const std::byte> block);

// Byte positions in `block` (whole groups of the type) with a bit that may carry, ascending. For
// CarrierKind::bits and, in version 1, quantized types. Since version 2 of floats only the smallest: `most`, and those that
// are equal to the last of them.
void bit_carriers(const Carriers& carriers, std::span<const std::byte> block, std::size_t most,
                  std::vector<std::uint32_t>& positions);
// The bit of such a byte that carries.
std::byte carrier_mask(const Carriers& carriers);

// Element indices that take part in the lattice, ascending. For CarrierKind::lattice.
void lattice_elements(DType dtype, std::span<const std::byte> block, std::vector<std::uint32_t>& elements);

// The integer that orders the float `element` of `block` (its bits, sign folded), and back. Only for values
// that lattice_elements() names. One step is one unit in the last place.
std::int64_t lattice_value(DType dtype, std::span<const std::byte> block, std::uint32_t element);
// The same of many, in the order in which they are named.
std::vector<std::int64_t> lattice_values(DType dtype, std::span<const std::byte> block,
                                         std::span<const std::uint32_t> elements);
void set_lattice_value(DType dtype, std::span<std::byte> block, std::uint32_t element, std::int64_t value);

// True if `value` stays clear of the ends of the range by more than `steps`, so that a change of that size
// cannot make it leave.
bool lattice_clear(DType dtype, std::int64_t value, std::uint64_t steps);

}  // namespace modelseal::mark
