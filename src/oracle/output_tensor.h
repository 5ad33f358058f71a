// An output of a server with its name and type, and its conversion to answers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "oracle/oracle.h"

namespace modelseal::oracle {

inline constexpr std::size_t kMaxRank = 8;
inline constexpr std::size_t kMaxOutputs = 64;

enum class NumberKind {
    floating,
    integer,
    other,  // strings, booleans: nothing that a classifier answers with
};

struct OutputTensor {
    std::string name;                 // may be empty: the only one
    std::vector<std::int64_t> shape;  // with the batch dimension
    NumberKind kind = NumberKind::other;
    std::vector<float> values;            // of kind floating
    std::vector<std::int64_t> integers;   // of kind integer
    unsigned significand = kFloat32Bits;  // of the type: 11 for FP16
};

// Elements of a shape, at most `cap`; false if there are more, or an extent is negative.
bool elements_of(std::span<const std::int64_t> shape, std::size_t cap, std::size_t& elements);

// "[8, 3, 32, 32]"
std::string shown(std::span<const std::int64_t> shape);

// Nested lists of numbers as one tensor; null is NaN. Error `malformed` for ragged lists. With `kind` integer
// or floating the numbers must be of that kind; with `other` they are integers if all are and there is one
// per row.
Result<OutputTensor> from_lists(const nlohmann::json& lists, NumberKind kind, const std::string& source);

// The output to use: the one called `wanted`, else the only floating one, else the only integer one. Error
// `unsupported`, with the names of the existing ones.
Result<OutputTensor> pick(std::vector<OutputTensor> tensors, const std::string& wanted,
                          const std::string& source);

// Converts this output to `rows` rows. One integer for each input is a label.
Result<Answers> to_answers(std::vector<OutputTensor> tensors, const std::string& wanted, std::size_t rows,
                           const std::string& source);

// Numbers of the binary protocols: little-endian, no padding.

// Bytes of one element of a type of the Open Inference Protocol; 0 for types without a fixed size.
std::size_t element_bytes(std::string_view datatype);

// Fills values or integers from `bytes`, which has complete elements of that type; false for types that are
// not numbers, and for integers beyond 63 bits.
bool decode(std::string_view datatype, std::string_view bytes, OutputTensor& tensor);

// The significand of a type, at most that of float32.
unsigned significand_bits(std::string_view datatype);

}  // namespace modelseal::oracle
