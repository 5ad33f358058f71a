#include "util/checked.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelseal::util {

bool checked_add(std::uint64_t a, std::uint64_t b, std::uint64_t& sum) {
    return !__builtin_add_overflow(a, b, &sum);
}
bool checked_mul(std::uint64_t a, std::uint64_t b, std::uint64_t& product) {
    return !__builtin_mul_overflow(a, b, &product);
}

float to_float(double value) {
    if (std::isnan(value) || std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max())) {
        return static_cast<float>(value);
    }
    return value > 0 ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity();
}

bool element_count(std::span<const std::uint64_t> shape, std::uint64_t& elements) {
    elements = 1;
    // A zero anywhere makes the tensor empty, whatever the other dimensions would multiply to.
    if (std::ranges::find(shape, 0u) != shape.end()) {
        elements = 0;
        return true;
    }
    return std::ranges::all_of(shape,
                               [&](std::uint64_t extent) { return checked_mul(elements, extent, elements); });
}

}  // namespace modelseal::util
