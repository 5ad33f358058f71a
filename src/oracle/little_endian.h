// Numbers as the binary protocols carry them: little-endian, no padding.
#pragma once

#include <string>
#include <string_view>

#include "oracle/output_tensor.h"

namespace modelseal::oracle {

// Bytes of one element of a type of the Open Inference Protocol; 0 for those of no fixed size.
std::size_t element_bytes(std::string_view datatype);

// Fills values or integers from `bytes`, which holds whole elements of that type; false for types that are no
// numbers, and for integers beyond 63 bits.
bool decode(std::string_view datatype, std::string_view bytes, OutputTensor& tensor);

void append_floats(std::string& bytes, std::span<const float> values);
void append_doubles(std::string& bytes, std::span<const float> values);

// Of the values that a type holds, at most that of float32.
unsigned significand_bits(std::string_view datatype);

}  // namespace modelseal::oracle
