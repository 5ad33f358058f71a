#include "tests/evidence/weights.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "model/elements.h"
#include "model/model.h"

namespace modelseal::evidence {
namespace {

float from_f16(std::uint16_t half) {
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
    if (exponent == 31) return fraction != 0 ? std::nanf("") : sign * INFINITY;
    if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
    return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

std::uint16_t to_f16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
    auto size = bits & 0x7fffffffu;
    if (size > 0x7f800000u) return sign | 0x7e00u;
    if (size >= 0x477ff000u) return sign | 0x7c00u;  // 65,520 and more round to infinity
    if (size < 0x38800000u) {                        // below 2^-14: a multiple of 2^-24
        return sign | static_cast<std::uint16_t>(std::nearbyint(std::ldexp(std::abs(value), 24)));
    }
    size += 0xfffu + (size >> 13 & 1u);
    return sign | static_cast<std::uint16_t>((size - 0x38000000u) >> 13);
}

std::uint16_t to_bf16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

template <class Stored, class Convert>
void decode(const std::vector<std::byte>& bytes, std::vector<float>& values, Convert convert) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        Stored stored;
        std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
        values[i] = convert(stored);
    }
}

bool decode(DType dtype, const std::vector<std::byte>& bytes, std::vector<float>& values) {
    switch (dtype) {
        case DType::f64:
            decode<double>(bytes, values, [](double value) { return static_cast<float>(value); });
            return true;
        case DType::f32:
            decode<float>(bytes, values, [](float value) { return value; });
            return true;
        case DType::f16:
            decode<std::uint16_t>(bytes, values, from_f16);
            return true;
        case DType::bf16:
            decode<std::uint16_t>(bytes, values, [](std::uint16_t value) {
                return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
            });
            return true;
        default:
            return false;
    }
}

}  // namespace

float rounded(float value, DType dtype) {
    if (dtype == DType::f16) return from_f16(to_f16(value));
    if (dtype == DType::bf16) return std::bit_cast<float>(static_cast<std::uint32_t>(to_bf16(value)) << 16);
    return value;
}

std::map<std::string, Weights> load_weights(const std::filesystem::path& path) {
    const auto model = model::open_model(path);
    if (!model.ok()) throw std::runtime_error(model.error().message);
    std::map<std::string, Weights> all;
    for (const auto& tensor : model->tensors) {
        std::vector<std::byte> bytes(tensor.elements * info(tensor.dtype).group_bytes);
        Weights weights{tensor.shape, std::vector<float>(tensor.elements)};
        if (info(tensor.dtype).group_elements != 1 || tensor.elements == 0) continue;
        const auto done = model::read_elements(*model, tensor, 0, tensor.elements, bytes);
        if (!done.ok()) throw std::runtime_error(done.error().message);
        if (decode(tensor.dtype, bytes, weights.values)) all[tensor.name] = std::move(weights);
    }
    return all;
}

}  // namespace modelseal::evidence
