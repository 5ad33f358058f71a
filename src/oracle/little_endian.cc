#include "oracle/little_endian.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

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

float from_half(std::uint16_t bits) {
    const int exponent = (bits >> 10) & 0x1F;
    const int fraction = bits & 0x3FF;
    const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
    if (exponent == 0x1F) {
        return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                             : sign * std::numeric_limits<float>::infinity();
    }
    const auto magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                         : std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
    return sign * magnitude;
}

float from_double(double value) {
    const double most = static_cast<double>(std::numeric_limits<float>::max());
    if (std::isfinite(value) && std::abs(value) > most) {
        return value > 0 ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity();
    }
    return static_cast<float>(value);
}

template <class T, class Convert>
bool floats(std::string_view bytes, OutputTensor& tensor, Convert&& convert) {
    return each<T>(bytes, [&](T value) {
        tensor.values.push_back(convert(value));
        return true;
    });
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
    if (datatype == "FP64") return floats<double>(bytes, tensor, from_double);
    if (datatype == "FP16") return floats<std::uint16_t>(bytes, tensor, from_half);
    if (datatype == "BF16") {
        return floats<std::uint16_t>(bytes, tensor, [](std::uint16_t bits) {
            return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
        });
    }
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
