#include "mark/coding/wavelet.h"

#include <array>

namespace modelseal::mark {
namespace {

__extension__ typedef __int128 Wide;

// Constants with 30 fractional bits. sqrt(3) = 1.7320508075688772.., sqrt(2) = 1.4142135623730950..
constexpr int kFractionBits = 30;
constexpr std::int64_t kSqrt3 = 1859775393;         // sqrt(3)
constexpr std::int64_t kSqrt3Quarter = 464943848;   // sqrt(3) / 4
constexpr std::int64_t kMinus2Quarter = -71927064;  // (sqrt(3) - 2) / 4
// Scaling by K = (sqrt(3) - 1) / sqrt(2) and 1 / K, itself four lifting steps (same paper, section 7.3).
constexpr std::int64_t kScaleMinus1 = -517932157;         // K - 1
constexpr std::int64_t kMinusInverseScale = -2074309917;  // -1 / K
constexpr std::int64_t kScaleMinusSquare = 268101413;     // K - K^2

// round(constant * value), halves upwards; the same on every machine.
std::int64_t lift(std::int64_t constant, std::int64_t value) {
    const Wide product = static_cast<Wide>(constant) * value + (std::int64_t{1} << (kFractionBits - 1));
    return static_cast<std::int64_t>(product >> kFractionBits);
}

std::int64_t add(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t subtract(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

using Signal = std::span<std::int64_t>;

// values -> approximation | detail. `low` and `high` point into scratch space.
void split(Signal values, Signal scratch) {
    const auto pairs = values.size() / 2;
    const auto low = scratch.first(pairs);
    const auto high = scratch.subspan(pairs, pairs);
    for (std::size_t i = 0; i < pairs; ++i) {
        high[i] = values[2 * i + 1];
        low[i] = add(values[2 * i], lift(kSqrt3, high[i]));
    }
    for (std::size_t i = 0; i < pairs; ++i) {
        const auto before = low[i == 0 ? pairs - 1 : i - 1];
        high[i] = subtract(high[i], add(lift(kSqrt3Quarter, low[i]), lift(kMinus2Quarter, before)));
    }
    for (std::size_t i = 0; i < pairs; ++i) low[i] = subtract(low[i], high[i + 1 == pairs ? 0 : i + 1]);
    for (std::size_t i = 0; i < pairs; ++i) {
        high[i] = add(high[i], low[i]);
        low[i] = add(low[i], lift(kScaleMinus1, high[i]));
        high[i] = add(high[i], lift(kMinusInverseScale, low[i]));
        low[i] = add(low[i], lift(kScaleMinusSquare, high[i]));
    }
    const auto odd = values.size() % 2;
    const auto last = values.back();
    for (std::size_t i = 0; i < pairs; ++i) {
        values[i] = low[i];
        values[pairs + odd + i] = high[i];
    }
    if (odd != 0) values[pairs] = last;
}

// The steps of split, backwards, each undone.
void merge(Signal values, Signal scratch) {
    const auto pairs = values.size() / 2;
    const auto odd = values.size() % 2;
    const auto low = scratch.first(pairs);
    const auto high = scratch.subspan(pairs, pairs);
    const auto last = odd != 0 ? values[pairs] : 0;
    for (std::size_t i = 0; i < pairs; ++i) {
        low[i] = values[i];
        high[i] = values[pairs + odd + i];
    }
    for (std::size_t i = 0; i < pairs; ++i) {
        low[i] = subtract(low[i], lift(kScaleMinusSquare, high[i]));
        high[i] = subtract(high[i], lift(kMinusInverseScale, low[i]));
        low[i] = subtract(low[i], lift(kScaleMinus1, high[i]));
        high[i] = subtract(high[i], low[i]);
    }
    for (std::size_t i = 0; i < pairs; ++i) low[i] = add(low[i], high[i + 1 == pairs ? 0 : i + 1]);
    for (std::size_t i = 0; i < pairs; ++i) {
        const auto before = low[i == 0 ? pairs - 1 : i - 1];
        high[i] = add(high[i], add(lift(kSqrt3Quarter, low[i]), lift(kMinus2Quarter, before)));
    }
    for (std::size_t i = 0; i < pairs; ++i) {
        values[2 * i] = subtract(low[i], lift(kSqrt3, high[i]));
        values[2 * i + 1] = high[i];
    }
    if (odd != 0) values.back() = last;
}

void forward(Signal values, Signal scratch, int levels) {
    if (levels == 0 || values.size() < 2) return;
    split(values, scratch);
    const auto detail = detail_count(values.size());
    forward(values.first(values.size() - detail), scratch, levels - 1);
    forward(values.last(detail), scratch, levels - 1);
}

void inverse(Signal values, Signal scratch, int levels) {
    if (levels == 0 || values.size() < 2) return;
    const auto detail = detail_count(values.size());
    inverse(values.first(values.size() - detail), scratch, levels - 1);
    inverse(values.last(detail), scratch, levels - 1);
    merge(values, scratch);
}

}  // namespace

void packets_forward(std::span<std::int64_t> values, int levels) {
    std::vector<std::int64_t> scratch(values.size());
    forward(values, scratch, levels);
}

void detail_packets_forward(std::span<std::int64_t> values, int levels) {
    if (levels == 0 || values.size() < 2) return;
    std::vector<std::int64_t> scratch(values.size());
    split(values, scratch);
    forward(values.last(detail_count(values.size())), scratch, levels - 1);
}

void packets_inverse(std::span<std::int64_t> coefficients, int levels) {
    std::vector<std::int64_t> scratch(coefficients.size());
    inverse(coefficients, scratch, levels);
}

}  // namespace modelseal::mark
