// Inputs in the type that a served model takes. They are never rounded: members of a pair would become one.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/oracle.h"

namespace modelseal::oracle {

// FP32, FP64, FP16 and UINT8.
bool is_input_type(std::string_view datatype);

// JSON has no way to write halves that all servers read.
bool needs_bytes(std::string_view datatype);

// The values that are sent of `inputs`, of complete inputs of that shape. Of a model that takes UINT8 these are the gray
// levels of inputs that are on a grid of them (InputShape::gray), else the values themselves. Error `unsupported` if one
// is not exact in the type.
Result<std::vector<float>> exact_values(std::span<const float> inputs, const InputShape& shape,
                                        std::string_view datatype, const std::string& source);

// Little-endian, no padding. Precondition: the values are exact in the type, which is_input_type().
void append_values(std::string& bytes, std::span<const float> values, std::string_view datatype);

// IEEE 754 binary16 with exactly this value, which is no NaN.
std::optional<std::uint16_t> exact_half(float value);

}  // namespace modelseal::oracle
