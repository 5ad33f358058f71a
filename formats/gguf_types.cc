#include "formats/gguf_types.h"

#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace modelseal::formats::gguf {
namespace {

// u8 i8 u16 i16 u32 i32 f32 bool string array u64 i64 f64
constexpr std::uint8_t kValueBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

struct Type {
    std::optional<DType> dtype;
    std::string_view removed = {};  // the name of a type that is no longer in the format
};

// Indexed by enum ggml_type.
constexpr Type kTypes[] = {
    {DType::f32},    {DType::f16},       {DType::q4_0},      {DType::q4_1},      {{}, "q4_2"},
    {{}, "q4_3"},    {DType::q5_0},      {DType::q5_1},      {DType::q8_0},      {DType::q8_1},
    {DType::q2_k},   {DType::q3_k},      {DType::q4_k},      {DType::q5_k},      {DType::q6_k},
    {DType::q8_k},   {DType::iq2_xxs},   {DType::iq2_xs},    {DType::iq3_xxs},   {DType::iq1_s},
    {DType::iq4_nl}, {DType::iq3_s},     {DType::iq2_s},     {DType::iq4_xs},    {DType::i8},
    {DType::i16},    {DType::i32},       {DType::i64},       {DType::f64},       {DType::iq1_m},
    {DType::bf16},   {{}, "q4_0_4_4"},   {{}, "q4_0_4_8"},   {{}, "q4_0_8_8"},   {DType::tq1_0},
    {DType::tq2_0},  {{}, "iq4_nl_4_4"}, {{}, "iq4_nl_4_8"}, {{}, "iq4_nl_8_8"}, {DType::mxfp4},
    {DType::nvfp4},  {DType::q1_0},      {DType::q2_0},
};

}  // namespace

std::uint32_t value_bytes(std::uint32_t type) {
    return type < std::size(kValueBytes) ? kValueBytes[type] : 0;
}

std::optional<DType> tensor_type(std::uint32_t type) {
    return type < std::size(kTypes) ? kTypes[type].dtype : std::nullopt;
}

std::string why_unsupported(std::uint32_t type) {
    if (type < std::size(kTypes)) {
        return fmt::format("type {} was taken out of the format and is not supported", kTypes[type].removed);
    }
    return fmt::format("ggml type {} is not known", type);
}

}  // namespace modelseal::formats::gguf
