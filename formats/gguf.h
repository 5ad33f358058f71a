// The numbers that GGUF gives to the types of metadata values and of tensors (gguf.h, ggml.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <modelseal/tensor.h>

namespace modelseal::formats::gguf {

inline constexpr std::uint32_t kUint32 = 4;
inline constexpr std::uint32_t kString = 8;
inline constexpr std::uint32_t kArray = 9;

// Bytes of a metadata value of fixed size; 0 for strings, arrays and unknown types.
std::uint32_t value_bytes(std::uint32_t type);

// enum ggml_type; nullopt for numbers that were removed from the format or are not known. `architecture`: the value of
// general.architecture, because Ollama gives mxfp4 another number in the models of one of them.
std::optional<DType> tensor_type(std::uint32_t type, std::string_view architecture = {});

// Precondition: !tensor_type(type, ...).
std::string why_unsupported(std::uint32_t type);

}  // namespace modelseal::formats::gguf
