// The numeric values of elements, to compare models and to tell whether weights are noise: the number of each, and
// its place among the numbers of its type. Marks and digests themselves work on bits.
//
// Thread safety: everything here is pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <modelseal/tensor.h>

namespace modelseal::model {

// False for types whose elements have no number of their own here: GGUF blocks, opaque bytes.
bool has_values(DType dtype);

// Numbers an element: 2 for complex types, else 1.
unsigned value_parts(DType dtype);

// Decodes dense elements, as read_elements() returns them, from the first of `bytes` on; out.size() is the
// number of elements times value_parts(). Exact except for 64-bit integers, which are rounded. Precondition:
// has_values().
void decode_values(DType dtype, std::span<const std::byte> bytes, std::span<double> out);

// The bits of element `index` of dense elements of at most 64 bits each; groups are packed from the lowest bit
// on. Precondition: not a block type, not c128.
std::uint64_t element_bits(DType dtype, std::span<const std::byte> bytes, std::uint64_t index);

// Real types with a fraction, in which neighbors differ by a unit in the last place.
bool is_floating(DType dtype);
// The number of representable numbers between two, plus one; both zeros are one number. The bits are those of
// finite values. Precondition: is_floating().
std::uint64_t ulp_distance(DType dtype, std::uint64_t a, std::uint64_t b);

}  // namespace modelseal::model
