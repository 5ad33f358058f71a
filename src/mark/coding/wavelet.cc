#include "mark/coding/wavelet.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace modelseal::mark {
namespace {

// Constants with 30 fractional bits. sqrt(3) = 1.7320508075688772.., sqrt(2) = 1.4142135623730950..
constexpr int kFractionBits = 30;
constexpr std::int64_t kSqrt3 = 1859775393;         // sqrt(3)
constexpr std::int64_t kSqrt3Quarter = 464943848;   // sqrt(3) / 4
constexpr std::int64_t kMinus2Quarter = -71927064;  // (sqrt(3) - 2) / 4
// Scaling by K = (sqrt(3) - 1) / sqrt(2) and 1 / K, itself four lifting steps (same paper, section 7.3).
constexpr std::int64_t kScaleMinus1 = -517932157;         // K - 1
constexpr std::int64_t kMinusInverseScale = -2074309917;  // -1 / K
constexpr std::int64_t kScaleMinusSquare = 268101413;     // K - K^2

// round(constant * value) modulo 2^64, halves upwards; the same on every machine. With value = high 2^30 + low and
// 0 <= low < 2^30 that is constant * high + round(constant * low): no product needs more than 64 bits.
inline std::int64_t lift(std::int64_t constant, std::int64_t value) {
    const auto high = static_cast<std::uint64_t>(value >> kFractionBits);
    const auto low = value & ((std::int64_t{1} << kFractionBits) - 1);
    const auto rounded = (constant * low + (std::int64_t{1} << (kFractionBits - 1))) >> kFractionBits;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(constant) * high +
                                     static_cast<std::uint64_t>(rounded));
}

std::int64_t add(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t subtract(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

using Signal = std::span<std::int64_t>;

#if defined(__x86_64__)
// The same with four values at a time. Of numbers below 2^60 the high half of lift_four() has 32 bits, so both products are
// of 32 bits, which AVX2 has (VPMULDQ).
constexpr std::int64_t kVectorRange = std::int64_t{1}
                                      << 40;  // of what goes in; split() makes it at most eightfold

using Four = __m256i;

[[gnu::target("avx2")]] inline Four load_four(const std::int64_t* at) {
    return _mm256_loadu_si256(reinterpret_cast<const Four*>(at));
}
[[gnu::target("avx2")]] inline void store_four(std::int64_t* at, Four four) {
    _mm256_storeu_si256(reinterpret_cast<Four*>(at), four);
}
// AVX2 shifts in zeros: a number is made positive before it is shifted, and what was added is taken off again.
[[gnu::target("avx2")]] inline Four lift_four(Four constant, Four value) {
    const auto positive = _mm256_set1_epi64x(std::int64_t{1} << 62);
    const auto rounding =
        _mm256_set1_epi64x((std::int64_t{1} << 62) + (std::int64_t{1} << (kFractionBits - 1)));
    const auto added = _mm256_set1_epi64x(std::int64_t{1} << (62 - kFractionBits));
    const auto mask = _mm256_set1_epi64x((std::int64_t{1} << kFractionBits) - 1);
    // The low 32 bits of the difference are those of the shifted number: 2^32 is nothing to them.
    const auto high = _mm256_srli_epi64(_mm256_add_epi64(value, positive), kFractionBits);
    const auto low = _mm256_and_si256(value, mask);
    const auto product = _mm256_add_epi64(_mm256_mul_epi32(low, constant), rounding);
    const auto rounded = _mm256_sub_epi64(_mm256_srli_epi64(product, kFractionBits), added);
    return _mm256_add_epi64(_mm256_mul_epi32(high, constant), rounded);
}

// The first `pairs - pairs % 4` of each loop of split(), whose arrays these are.
[[gnu::target("avx2")]] std::size_t predict_four(const std::int64_t* values, std::int64_t* low,
                                                 std::int64_t* high, std::size_t pairs) {
    const auto sqrt3 = _mm256_set1_epi64x(kSqrt3);
    std::size_t i = 0;
    for (; i + 4 <= pairs; i += 4) {
        const auto a = load_four(values + 2 * i), b = load_four(values + 2 * i + 4);
        const auto even = _mm256_permute4x64_epi64(_mm256_unpacklo_epi64(a, b), 0xD8);
        const auto odd = _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(a, b), 0xD8);
        store_four(high + i, odd);
        store_four(low + i, _mm256_add_epi64(even, lift_four(sqrt3, odd)));
    }
    return i;
}
[[gnu::target("avx2")]] std::size_t update_four(const std::int64_t* low, std::int64_t* high,
                                                std::size_t pairs) {
    const auto quarter = _mm256_set1_epi64x(kSqrt3Quarter), minus2 = _mm256_set1_epi64x(kMinus2Quarter);
    std::size_t i = 1;
    for (; i + 4 <= pairs; i += 4) {
        const auto sum =
            _mm256_add_epi64(lift_four(quarter, load_four(low + i)), lift_four(minus2, load_four(low + i - 1)));
        store_four(high + i, _mm256_sub_epi64(load_four(high + i), sum));
    }
    return i;
}
[[gnu::target("avx2")]] std::size_t scale_four(std::int64_t* lows, std::int64_t* highs, std::size_t pairs) {
    const auto minus1 = _mm256_set1_epi64x(kScaleMinus1), inverse = _mm256_set1_epi64x(kMinusInverseScale),
               square = _mm256_set1_epi64x(kScaleMinusSquare);
    std::size_t i = 0;
    for (; i + 5 <= pairs; i += 4) {
        auto low = _mm256_sub_epi64(load_four(lows + i), load_four(highs + i + 1));
        auto high = _mm256_add_epi64(load_four(highs + i), low);
        low = _mm256_add_epi64(low, lift_four(minus1, high));
        high = _mm256_add_epi64(high, lift_four(inverse, low));
        low = _mm256_add_epi64(low, lift_four(square, high));
        store_four(lows + i, low);
        store_four(highs + i, high);
    }
    return i;
}
#endif

// Whether numbers are so small that the loops above may be used, and the processor has what they need.
bool by_fours([[maybe_unused]] std::span<const std::int64_t> values) {
#if defined(__x86_64__)
    static const bool able = __builtin_cpu_supports("avx2") != 0;
    return able && std::ranges::all_of(values, [](std::int64_t value) {
               return value > -kVectorRange && value < kVectorRange;
           });
#else
    return false;
#endif
}

// values -> approximation | detail. `low` and `high` point into scratch space.
void split(Signal values, Signal scratch, [[maybe_unused]] bool fours) {
    const auto pairs = values.size() / 2;
    const auto low = scratch.first(pairs);
    const auto high = scratch.subspan(pairs, pairs);
    std::size_t i = 0;
#if defined(__x86_64__)
    if (fours) i = predict_four(values.data(), low.data(), high.data(), pairs);
#endif
    for (; i < pairs; ++i) {
        high[i] = values[2 * i + 1];
        low[i] = add(values[2 * i], lift(kSqrt3, high[i]));
    }
    const auto update = [&](std::size_t at, std::int64_t before) {
        high[at] = subtract(high[at], add(lift(kSqrt3Quarter, low[at]), lift(kMinus2Quarter, before)));
    };
    update(0, low[pairs - 1]);
    i = 1;
#if defined(__x86_64__)
    if (fours) i = update_four(low.data(), high.data(), pairs);
#endif
    for (; i < pairs; ++i) update(i, low[i - 1]);
    const auto first = high[0];
    i = 0;
#if defined(__x86_64__)
    if (fours) i = scale_four(low.data(), high.data(), pairs);
#endif
    for (; i < pairs; ++i) {
        low[i] = subtract(low[i], i + 1 == pairs ? first : high[i + 1]);
        high[i] = add(high[i], low[i]);
        low[i] = add(low[i], lift(kScaleMinus1, high[i]));
        high[i] = add(high[i], lift(kMinusInverseScale, low[i]));
        low[i] = add(low[i], lift(kScaleMinusSquare, high[i]));
    }
    const auto odd = values.size() % 2;
    const auto last = values.back();
    std::ranges::copy(low, values.begin());
    std::ranges::copy(high, values.begin() + static_cast<std::ptrdiff_t>(pairs + odd));
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

void forward(Signal values, Signal scratch, int levels, bool fours) {
    if (levels == 0 || values.size() < 2) return;
    split(values, scratch, fours);
    const auto detail = detail_count(values.size());
    forward(values.first(values.size() - detail), scratch, levels - 1, fours);
    forward(values.last(detail), scratch, levels - 1, fours);
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
    forward(values, scratch, levels, by_fours(values) && levels <= kPacketLevels);
}

void detail_packets_forward(std::span<std::int64_t> values, int levels) {
    if (levels == 0 || values.size() < 2) return;
    std::vector<std::int64_t> scratch(values.size());
    const bool fours = by_fours(values) && levels <= kPacketLevels;
    split(values, scratch, fours);
    forward(values.last(detail_count(values.size())), scratch, levels - 1, fours);
}

void approximation_packets_forward(std::span<std::int64_t> values, int levels) {
    if (levels == 0 || values.size() < 2) return;
    std::vector<std::int64_t> scratch(values.size());
    const auto approximation = values.first(values.size() - detail_count(values.size()));
    forward(approximation, scratch, levels - 1, by_fours(approximation) && levels <= kPacketLevels);
}

void packets_inverse(std::span<std::int64_t> coefficients, int levels) {
    std::vector<std::int64_t> scratch(coefficients.size());
    inverse(coefficients, scratch, levels);
}

}  // namespace modelseal::mark
