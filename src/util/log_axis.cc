#include "util/log_axis.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelseal::util {
namespace {

constexpr double kMiddle = 0.06;  // of the axis on each side of zero, for values below the least decade
constexpr int kMostDecades = 12;

}  // namespace

LogAxis::LogAxis(std::span<const double> values) {
    double least = std::numeric_limits<double>::infinity(), largest = 0;
    for (const double value : values) {
        const double size = std::abs(value);
        if (!std::isfinite(size) || size == 0) continue;
        least = std::min(least, size);
        largest = std::max(largest, size);
    }
    if (largest == 0) return;
    last_ = static_cast<int>(std::ceil(std::log10(largest)));
    least_ = std::min(static_cast<int>(std::floor(std::log10(least))), last_ - 1);
    least_ = std::max(least_, last_ - kMostDecades);
}

double LogAxis::place(double value) const {
    const double size = std::abs(value);
    if (!(size > 0)) return 0;  // not a number among them
    const double share = (std::log10(size) - least_) / (last_ - least_);
    const double at = kMiddle + (1 - kMiddle) * std::clamp(share, -0.5 * kMiddle, 1.0);
    return value < 0 ? -at : at;
}

}  // namespace modelseal::util
