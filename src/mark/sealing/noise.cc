#include "mark/sealing/noise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "model/values.h"

namespace modelseal::mark {
namespace {

constexpr double kOnGrid = 0.99;

// The elements of a block: their bits, and their values; zero stands for what is not a normal float.
struct Floats {
    std::vector<std::uint64_t> bits;
    std::vector<double> values;
};

template <class Word>
void take_bits(std::span<const std::byte> block, FloatFormat format, Floats& floats) {
    const auto exponents = (std::uint64_t{1} << format.exponent_bits) - 1;
    for (std::size_t i = 0; i < floats.bits.size(); ++i) {
        Word word;
        std::memcpy(&word, block.data() + i * sizeof word, sizeof word);
        const auto exponent = std::uint64_t{word} >> format.mantissa_bits & exponents;
        floats.bits[i] = word;
        if (exponent == 0 || exponent == exponents) floats.values[i] = 0;
    }
}

Floats floats_of(DType dtype, std::span<const std::byte> block) {
    const auto width = info(dtype).group_bytes;
    Floats floats{std::vector<std::uint64_t>(block.size() / width), std::vector<double>(block.size() / width)};
    model::decode_values(dtype, block, floats.values);
    const auto format = float_format(dtype);
    if (width == sizeof(std::uint16_t)) take_bits<std::uint16_t>(block, format, floats);
    if (width == sizeof(std::uint32_t)) take_bits<std::uint32_t>(block, format, floats);
    if (width == sizeof(std::uint64_t)) take_bits<std::uint64_t>(block, format, floats);
    return floats;
}

bool lies_on(std::uint64_t bits, double value, unsigned zeros) {
    return value != 0 && (bits & ((std::uint64_t{1} << zeros) - 1)) == 0;
}

std::size_t count_on(unsigned zeros, const Floats& floats) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < floats.bits.size(); ++i)
        count += lies_on(floats.bits[i], floats.values[i], zeros) ? 1 : 0;
    return count;
}

// Bits of the values down to a grid with so many zeros below, of those that lie on it.
std::vector<std::uint64_t> codes_on(unsigned zeros, const Floats& floats, std::size_t count) {
    std::vector<std::uint64_t> codes;
    codes.reserve(count);
    for (std::size_t i = 0; i < floats.bits.size(); ++i) {
        if (lies_on(floats.bits[i], floats.values[i], zeros)) codes.push_back(floats.bits[i] >> zeros);
    }
    return codes;
}

bool lowest_bits_are_uniform(std::span<const std::uint64_t> codes, unsigned bits) {
    std::vector<std::uint64_t> counts(std::size_t{1} << bits);
    for (const auto code : codes) ++counts[code & (counts.size() - 1)];
    const auto expected = static_cast<double>(codes.size()) / static_cast<double>(counts.size());
    double sum = 0;
    for (const auto count : counts) {
        const auto off = static_cast<double>(count) - expected;
        sum += off * off / expected;
    }
    const auto freedom = static_cast<double>(counts.size() - 1);
    constexpr double kDeviations = 6;
    return sum - freedom < kDeviations * std::sqrt(2 * freedom);
}

// Ascending, digit by digit from the lowest: several times as fast as std::sort.
void sort(std::vector<std::uint64_t>& codes) {
    constexpr unsigned kDigit = 11;
    const auto highest = std::ranges::max(codes);
    std::vector<std::uint64_t> sorted(codes.size());
    for (unsigned shift = 0; shift < 64 && highest >> shift != 0; shift += kDigit) {
        std::array<std::uint32_t, (1u << kDigit) + 1> starts{};
        const auto digit = [&](std::uint64_t code) { return code >> shift & ((1u << kDigit) - 1); };
        for (const auto code : codes) ++starts[digit(code) + 1];
        std::partial_sum(starts.begin(), starts.end(), starts.begin());
        for (const auto code : codes) sorted[starts[digit(code)]++] = code;
        codes.swap(sorted);
    }
}

// Neighboring codes 2k and 2k+1 occur about as often: the squares of the differences sum up to the number of
// values, if each is there by chance.
bool neighbors_agree(std::vector<std::uint64_t> codes, double most) {
    if (codes.empty()) return false;
    sort(codes);
    double squares = 0;
    for (std::size_t i = 0; i < codes.size();) {
        const auto pair = codes[i] >> 1;
        double difference = 0;
        for (; i < codes.size() && codes[i] >> 1 == pair; ++i) difference += (codes[i] & 1u) != 0 ? 1 : -1;
        squares += difference * difference;
    }
    return squares < most * static_cast<double>(codes.size());
}

// Sums of noise, of which half are rounded to even, are even in three of four cases; what cancels out has some zeros more.
bool lowest_bits_are_used(std::span<const std::uint64_t> codes) {
    constexpr double kMostEven = 0.85, kMostByFour = 0.25;
    const auto share = [&](std::uint64_t mask) {
        const auto on = std::ranges::count_if(codes, [&](std::uint64_t code) { return (code & mask) == 0; });
        return static_cast<double>(on) / static_cast<double>(codes.size());
    };
    return share(1) <= kMostEven && share(15) <= kMostByFour;
}

// Not those of a table.
bool are_distinct(std::vector<std::uint64_t> codes) {
    sort(codes);
    const auto count = codes.size();
    const auto distinct = std::unique(codes.begin(), codes.end()) - codes.begin();
    return 10 * static_cast<std::size_t>(distinct) >= 9 * count;
}

// Ties go to even. Many times as fast as std::round() where that is a call. Of 2^51 and more something as large comes out.
double to_integer(double x) {
    constexpr double kInteger = 0x1.8p52;  // from there on doubles have no bits for fractions
    return x + kInteger - kInteger;
}

// The least denominator of a fraction in [low, high], by continued fractions; some larger number if it is larger than
// `most`. Precondition: 0 <= low < high.
double least_denominator(double low, double high, double most) {
    double before = 1, last = 0;
    while (last <= most) {
        const auto whole = std::floor(low);
        if (whole == low || whole + 1 <= high) return (whole == low ? whole : whole + 1) * last + before;
        before = std::exchange(last, whole * last + before);
        const auto below = 1 / (high - whole);
        high = 1 / (low - whole);
        low = below;
    }
    return last;
}

// Whether the values of a run are multiples of the largest one's 1st, 2nd, .. 255th part, as far as rounding to a
// mantissa of so many bits lets one tell: whether their ratios to it are near fractions of one denominator.
bool has_step(std::span<double> run, unsigned mantissa_bits) {
    constexpr double kMostParts = 255, kBlurred = 0.15;
    const auto blur = std::ldexp(1.0, -static_cast<int>(mantissa_bits));
    const auto most = std::min(kMostParts, std::floor(kBlurred / blur));
    const auto largest = *std::ranges::max_element(run, {}, [](double x) { return std::abs(x); });
    constexpr double kSlack = 0x1p-40;  // more than these divisions are off
    for (auto& value : run) {
        value = std::abs(value / largest);
        // Of noise the first value says that there is none.
        if (least_denominator(std::max(0.0, value - blur - kSlack), value + blur + kSlack, most) > most)
            return false;
    }
    for (double parts = 1; parts <= most; ++parts) {
        const auto is_multiple = [&](double ratio) {
            const auto times = ratio * parts;
            return std::abs(times - to_integer(times)) <= parts * blur;
        };
        if (std::ranges::all_of(run, is_multiple)) return true;
    }
    return false;
}

// Places of runs in a block: each of `length` values, `stride` apart; they begin at `start` and every `apart`.
struct Runs {
    std::uint64_t length = 8, stride = 1, start = 0, apart = 1;
};

// Up to 64 of the runs, all over the block.
bool is_stepped(std::span<const double> values, const Runs& runs, unsigned mantissa_bits) {
    constexpr std::uint64_t kRuns = 64;
    const auto span = (runs.length - 1) * runs.stride + 1;
    if (values.size() < runs.start + span) return false;
    const auto places = (values.size() - runs.start - span) / runs.apart + 1;
    const auto every = std::max<std::uint64_t>(1, places / kRuns);
    std::size_t asked = 0, stepped = 0;
    for (std::uint64_t place = 0; place < places; place += every) {
        std::array<double, 8> run{};
        for (std::uint64_t i = 0; i < runs.length; ++i)
            run[i] = values[runs.start + place * runs.apart + i * runs.stride];
        const auto used = std::span(run).first(runs.length);
        // A run with few values that are not zero has a step by chance.
        if (2 * std::ranges::count(used, 0.0) > static_cast<std::ptrdiff_t>(runs.length)) continue;
        ++asked;
        stepped += has_step(used, mantissa_bits) ? 1 : 0;
    }
    return asked != 0 && 4 * stepped > asked;
}

// A quantizer has a step for the tensor, for each index of one dimension, or for a group of consecutive values.
// Then one of these is within a step: consecutive values anywhere, at the start of what the last dimensions hold
// together, or the same place in rows that follow each other.
bool is_stepped(const Tensor& tensor, std::uint64_t first, std::span<const double> values,
                unsigned mantissa_bits) {
    if (is_stepped(values, Runs{}, mantissa_bits)) return true;
    std::uint64_t inner = 1;
    for (std::size_t i = tensor.shape.size(); i-- > 1;) {
        inner *= tensor.shape[i];
        if (inner == 0) return false;
        const Runs across{.stride = inner};
        if (inner > 1 && is_stepped(values, across, mantissa_bits)) return true;
        constexpr std::uint64_t kShortest = 4;
        const Runs along{.length = std::min<std::uint64_t>(8, inner),
                         .start = (inner - first % inner) % inner,
                         .apart = inner};
        if (inner >= kShortest && is_stepped(values, along, mantissa_bits)) return true;
    }
    return false;
}

// Numbers that were printed with a few digits and read again.
bool are_decimals(DType dtype, std::span<const double> values) {
    constexpr double kMillion = 1e6, kMostSteps = 1 << 20;  // beyond, a float is as coarse as the decimals
    const bool wide = dtype == DType::f64;
    std::size_t decimals = 0, asked = 0;
    for (const double value : values) {
        const auto steps = to_integer(value * kMillion);
        const auto decimal = steps / kMillion;
        const bool same = (wide ? decimal : double{static_cast<float>(decimal)}) == value;
        const auto there = static_cast<std::size_t>(value != 0);
        asked += there;
        decimals +=
            there & static_cast<std::size_t>(same) & static_cast<std::size_t>(std::abs(steps) <= kMostSteps);
    }
    return 10 * decimals > 3 * asked;
}

bool may_carry(const Tensor& tensor, std::uint64_t first, Grid grid, std::span<const double> values,
               const std::vector<std::uint64_t>& codes, Cover cover) {
    const auto mantissa_bits = float_format(tensor.dtype, grid).mantissa_bits;
    const bool fine = mantissa_bits > 16;  // two values of a block are hardly ever equal
    const auto is_noise = [&] {
        return lowest_bits_are_uniform(codes, mantissa_bits < 10 ? 2 : 4) &&
               neighbors_agree(codes, fine ? 1.05 : 1.5);
    };
    const auto is_rough = [&] {
        return cover == Cover::harmless && fine && grid == Grid::own && lowest_bits_are_used(codes) &&
               are_distinct(codes);
    };
    return (is_noise() || is_rough()) && !is_stepped(tensor, first, values, mantissa_bits) &&
           !(fine && are_decimals(tensor.dtype, values));
}

}  // namespace

std::optional<Grid> noise_grid(const Tensor& tensor, std::uint64_t first, std::span<const std::byte> block,
                               Cover cover) {
    if (carrier_class(tensor.dtype) > kHalves) return Grid::own;
    const auto floats = floats_of(tensor.dtype, block);
    const auto there = count_on(0, floats);
    if (there == 0) return std::nullopt;
    const auto grids = grids_of(Version::two, tensor.dtype);
    for (auto grid = grids.rbegin(); grid != grids.rend(); ++grid) {  // the coarsest first
        const auto zeros = zero_bits(tensor.dtype, *grid);
        const auto count = count_on(zeros, floats);
        if (static_cast<double>(count) < kOnGrid * static_cast<double>(there)) continue;
        const auto codes = codes_on(zeros, floats, count);
        return may_carry(tensor, first, *grid, floats.values, codes, cover) ? std::optional(*grid)
                                                                            : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace modelseal::mark
