
#include "formats/onnx/schema.h"

#include <iterator>

namespace modelseal::formats::onnx {

namespace {

// Indexed by TensorProto.DataType. The field of each type is that of the comments on TensorProto in onnx.proto.
constexpr ElementType kTypes[] = {
    {std::nullopt, 0},                         // UNDEFINED
    {DType::f32, tensor::float_data},          // FLOAT
    {DType::u8, tensor::int32_data},           // UINT8
    {DType::i8, tensor::int32_data},           // INT8
    {DType::u16, tensor::int32_data},          // UINT16
    {DType::i16, tensor::int32_data},          // INT16
    {DType::i32, tensor::int32_data},          // INT32
    {DType::i64, tensor::int64_data},          // INT64
    {std::nullopt, tensor::string_data},       // STRING
    {DType::boolean, tensor::int32_data},      // BOOL
    {DType::f16, tensor::int32_data},          // FLOAT16
    {DType::f64, tensor::double_data},         // DOUBLE
    {DType::u32, tensor::uint64_data},         // UINT32
    {DType::u64, tensor::uint64_data},         // UINT64
    {DType::c64, tensor::float_data},          // COMPLEX64
    {DType::c128, tensor::double_data},        // COMPLEX128
    {DType::bf16, tensor::int32_data},         // BFLOAT16
    {DType::f8_e4m3fn, tensor::int32_data},    // FLOAT8E4M3FN
    {DType::f8_e4m3fnuz, tensor::int32_data},  // FLOAT8E4M3FNUZ
    {DType::f8_e5m2, tensor::int32_data},      // FLOAT8E5M2
    {DType::f8_e5m2fnuz, tensor::int32_data},  // FLOAT8E5M2FNUZ
    {DType::u4, tensor::int32_data},           // UINT4
    {DType::i4, tensor::int32_data},           // INT4
    {DType::f4_e2m1, tensor::int32_data},      // FLOAT4E2M1
    {DType::f8_e8m0, tensor::int32_data},      // FLOAT8E8M0
    {DType::u2, tensor::int32_data},           // UINT2
    {DType::i2, tensor::int32_data},           // INT2
};

}  // namespace

std::optional<ElementType> element_type(std::uint64_t data_type) {
    if (data_type == 0 || data_type >= std::size(kTypes)) return std::nullopt;
    return kTypes[data_type];
}

}  // namespace modelseal::formats::onnx
