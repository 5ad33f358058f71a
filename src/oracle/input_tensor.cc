#include "oracle/input_tensor.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

namespace modelseal::oracle {
namespace {

static_assert(std::endian::native == std::endian::little, "the protocols' byte order is this machine's");

template <class T>
void append_bytes(std::string& bytes, T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::optional<float> level_of(float value, const std::vector<float>& levels) {
    const auto found = std::ranges::lower_bound(levels, value);
    if (found == levels.end() || *found != value) return std::nullopt;
    return static_cast<float>(found - levels.begin());
}

bool is_byte(float value) {
    return value >= 0 && value <= 255 && value == std::floor(value);
}

Error not_exact(std::size_t input, std::string_view datatype, const std::string& source) {
    return {
        ErrorKind::unsupported,
        fmt::format("{}: takes inputs of type {}, in which input {} is not exact", source, datatype, input + 1),
        "make a fingerprint whose inputs are gray levels from 0 to 255"};
}

}  // namespace

bool is_input_type(std::string_view datatype) {
    return datatype == "FP32" || datatype == "FP64" || datatype == "FP16" || datatype == "UINT8";
}

bool needs_bytes(std::string_view datatype) {
    return datatype == "FP16";
}

std::optional<std::uint16_t> exact_half(float value) {
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
    const float magnitude = std::abs(value);
    if (magnitude == 0) return sign;
    if (std::isinf(magnitude)) return static_cast<std::uint16_t>(sign | 0x7C00);
    if (!(magnitude <= 65504)) return std::nullopt;
    // magnitude = f * 2^exponent with f in [1/2, 1): 11 bits from 2^-14 on, steps of 2^-24 below.
    int exponent = 0;
    std::frexp(magnitude, &exponent);
    const float steps = std::ldexp(magnitude, -std::max(exponent - 11, -24));
    if (steps != std::floor(steps)) return std::nullopt;
    const auto whole = static_cast<unsigned>(steps);
    const auto bits = exponent < -13 ? whole : (static_cast<unsigned>(exponent + 14) << 10) + (whole - 1024);
    return static_cast<std::uint16_t>(sign | bits);
}

Result<std::vector<float>> exact_values(std::span<const float> inputs, const InputShape& shape,
                                        std::string_view datatype, const std::string& source) {
    std::vector<float> values(inputs.begin(), inputs.end());
    const bool halves = datatype == "FP16", bytes = datatype == "UINT8";
    if (!halves && !bytes) return values;
    const auto elements = std::max<std::size_t>(shape.elements(), 1);
    const auto plane = shape.shape.empty() ? elements : elements / static_cast<std::size_t>(shape.shape[0]);
    for (std::size_t i = 0; i < values.size(); ++i) {
        auto& value = values[i];
        if (bytes && !shape.gray.empty()) {
            const auto& levels = shape.gray[i / plane % shape.gray.size()];
            const auto level = level_of(value, levels);
            if (!level) return not_exact(i / elements, datatype, source);
            value = *level;
        } else if (bytes ? !is_byte(value) : !exact_half(value)) {
            return not_exact(i / elements, datatype, source);
        }
    }
    return values;
}

void append_values(std::string& bytes, std::span<const float> values, std::string_view datatype) {
    if (datatype == "FP32") {
        bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
        return;
    }
    for (const float value : values) {
        if (datatype == "FP64") append_bytes(bytes, static_cast<double>(value));
        if (datatype == "FP16") append_bytes(bytes, exact_half(value).value_or(0));
        if (datatype == "UINT8") append_bytes(bytes, static_cast<std::uint8_t>(value));
    }
}

}  // namespace modelseal::oracle
