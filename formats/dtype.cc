#include <array>
#include <cstddef>

#include "util/checked.h"
#include <modelseal/tensor.h>

namespace modelseal {

namespace {

// Indexed by DType: first the plain types, then from 64 on the GGUF block types with the sizes of
// ggml-common.h.
constexpr DTypeInfo kPlain[] = {
    {"bool", 1, 1},    {"u8", 1, 1},          {"i8", 1, 1},       {"u16", 1, 2},       {"i16", 1, 2},
    {"u32", 1, 4},     {"i32", 1, 4},         {"u64", 1, 8},      {"i64", 1, 8},       {"f16", 1, 2},
    {"bf16", 1, 2},    {"f32", 1, 4},         {"f64", 1, 8},      {"f8_e4m3fn", 1, 1}, {"f8_e4m3fnuz", 1, 1},
    {"f8_e5m2", 1, 1}, {"f8_e5m2fnuz", 1, 1}, {"f8_e8m0", 1, 1},  {"f6_e2m3", 4, 3},   {"f6_e3m2", 4, 3},
    {"f4_e2m1", 2, 1}, {"u4", 2, 1},          {"i4", 2, 1},       {"u2", 4, 1},        {"i2", 4, 1},
    {"u1", 8, 1},      {"c32", 1, 4},         {"c64", 1, 8},      {"c128", 1, 16},     {"qint8", 1, 1},
    {"quint8", 1, 1},  {"qint32", 1, 4},      {"quint4x2", 2, 1}, {"quint2x4", 4, 1},  {"opaque", 1, 1},
};
constexpr DTypeInfo kBlocks[] = {
    {"q4_0", 32, 18},   {"q4_1", 32, 20},   {"q5_0", 32, 22},     {"q5_1", 32, 24},    {"q8_0", 32, 34},
    {"q8_1", 32, 36},   {"q2_k", 256, 84},  {"q3_k", 256, 110},   {"q4_k", 256, 144},  {"q5_k", 256, 176},
    {"q6_k", 256, 210}, {"q8_k", 256, 292}, {"iq2_xxs", 256, 66}, {"iq2_xs", 256, 74}, {"iq3_xxs", 256, 98},
    {"iq1_s", 256, 50}, {"iq4_nl", 32, 18}, {"iq3_s", 256, 110},  {"iq2_s", 256, 82},  {"iq4_xs", 256, 136},
    {"iq1_m", 256, 56}, {"tq1_0", 256, 54}, {"tq2_0", 256, 66},   {"mxfp4", 32, 17},   {"nvfp4", 64, 36},
    {"q1_0", 128, 18},  {"q2_0", 64, 18},
};
static_assert(std::size(kPlain) == static_cast<std::size_t>(DType::opaque) + 1);
static_assert(std::size(kBlocks) ==
              static_cast<std::size_t>(DType::q2_0) - static_cast<std::size_t>(DType::q4_0) + 1);

}  // namespace

bool is_dtype(std::uint8_t value) {
    const auto first_block = static_cast<std::size_t>(DType::q4_0);
    return value < std::size(kPlain) || (value >= first_block && value - first_block < std::size(kBlocks));
}

const DTypeInfo& info(DType dtype) {
    const auto index = static_cast<std::size_t>(dtype);
    const auto first_block = static_cast<std::size_t>(DType::q4_0);
    return index < first_block ? kPlain[index] : kBlocks[index - first_block];
}

bool storage_bytes(DType dtype, std::uint64_t elements, std::uint64_t& bytes) {
    const auto& type = info(dtype);
    const auto groups = elements / type.group_elements + (elements % type.group_elements != 0 ? 1 : 0);
    return util::checked_mul(groups, type.group_bytes, bytes);
}

}  // namespace modelseal
