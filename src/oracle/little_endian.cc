#include "oracle/little_endian.h"

#include <bit>
#include <cstring>
#include <limits>

#include "model/values.h"
#include "util/checked.h"

namespace modelseal::oracle {
namespace {

static_assert(std::endian::native == std::endian::little, "the protocols' byte order is this machine's");

template <class T, class Convert>
bool each(std::string_view bytes, Convert&& convert) {
    for (std::size_t at = 0; bytes.size() - at >= sizeof(T); at += sizeof(T)) {
        T value;
        std::memcpy(&value, bytes.data() + at, sizeof(T));
        if (!convert(value)) return false;
    }
    return true;
}

template <class T>
bool integers(std::string_view bytes, OutputTensor& tensor) {
    return each<T>(bytes, [&](T value) {
        if constexpr (std::is_same_v<T, std::uint64_t>) {
            if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
        }
        tensor.integers.push_back(static_cast<std::int64_t>(value));
        return true;
    });
}

template <class T, class Convert>
bool floats(std::string_view bytes, OutputTensor& tensor, Convert&& convert) {
    return each<T>(bytes, [&](T value) {
        tensor.values.push_back(convert(value));
        return true;
    });
}

bool halves(DType dtype, std::string_view bytes, OutputTensor& tensor) {
    std::vector<double> values(bytes.size() / 2);
    decode_values(dtype, std::as_bytes(std::span(bytes)), values);
    for (const double value : values) tensor.values.push_back(static_cast<float>(value));
    return true;
}

}  // namespace

std::size_t element_bytes(std::string_view datatype) {
    if (datatype == "BOOL" || datatype == "INT8" || datatype == "UINT8") return 1;
    if (datatype == "FP16" || datatype == "BF16" || datatype == "INT16" || datatype == "UINT16") return 2;
    if (datatype == "FP32" || datatype == "INT32" || datatype == "UINT32") return 4;
    if (datatype == "FP64" || datatype == "INT64" || datatype == "UINT64") return 8;
    return 0;
}

bool decode(std::string_view datatype, std::string_view bytes, OutputTensor& tensor) {
    if (datatype == "FP32") return floats<float>(bytes, tensor, [](float value) { return value; });
    if (datatype == "FP64") return floats<double>(bytes, tensor, util::to_float);
    if (datatype == "FP16") return halves(DType::f16, bytes, tensor);
    if (datatype == "BF16") return halves(DType::bf16, bytes, tensor);
    if (datatype == "INT8") return integers<std::int8_t>(bytes, tensor);
    if (datatype == "INT16") return integers<std::int16_t>(bytes, tensor);
    if (datatype == "INT32") return integers<std::int32_t>(bytes, tensor);
    if (datatype == "INT64") return integers<std::int64_t>(bytes, tensor);
    if (datatype == "UINT8") return integers<std::uint8_t>(bytes, tensor);
    if (datatype == "UINT16") return integers<std::uint16_t>(bytes, tensor);
    if (datatype == "UINT32") return integers<std::uint32_t>(bytes, tensor);
    if (datatype == "UINT64") return integers<std::uint64_t>(bytes, tensor);
    return false;
}

void append_floats(std::string& bytes, std::span<const float> values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

void append_doubles(std::string& bytes, std::span<const float> values) {
    for (const double value : values) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
}

unsigned significand_bits(std::string_view datatype) {
    if (datatype == "FP16") return kHalfBits;
    if (datatype == "BF16") return kBfloat16Bits;
    return kFloat32Bits;
}

}  // namespace modelseal::oracle
