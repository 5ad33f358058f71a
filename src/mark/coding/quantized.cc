#include "mark/coding/quantized.h"

#include <algorithm>
#include <array>
#include <optional>

#include "mark/coding/quantized_codes.h"

namespace modelseal::mark {
namespace {

// All in integers, so that every machine comes to the same chances.

// A class and a pair: class * number of pairs + pair.
constexpr std::size_t kContexts = 256;
using Context = std::uint8_t;

// The codes of one scale, less their lowest bits. Where pairs lie is counted in half codes.
class Group {
  public:
    explicit Group(const CodeType& type)
        : type_(type),
          centered_(type.group != 0 && type.zero != kNoZero),
          origin_(centered_ ? 4 * std::int64_t{type.zero} : 2 * std::int64_t{type.pairs} - 1) {}

    void add(unsigned pair) {
        ++count_;
        sum_ += center(pair);
        squares_ += center(pair) * center(pair);
    }

    // By how far the codes are spread around their mean, and where that is if it is not zero.
    unsigned number() const {
        if (type_.group == 0) return 0;
        const auto classes = static_cast<unsigned>(kContexts) / type_.pairs;
        if (centered_) return std::min(spread(), classes - 1);
        return mean() * (classes / kMeans) + std::min(spread() / 2, classes / kMeans - 1);
    }

    // In 16ths of a code: where the mean is, or zero, and how far a pair lies from there.
    std::int32_t middle() const { return static_cast<std::int32_t>(8 * mean_times_count() / count_); }
    std::int32_t deviation(unsigned pair) const {
        return static_cast<std::int32_t>(8 * center(pair)) - middle();
    }

  private:
    static constexpr unsigned kMeans = 4;

    std::int64_t center(unsigned pair) const { return 4 * std::int64_t{pair} + 1 - origin_; }
    std::int64_t mean_times_count() const { return centered_ ? 0 : sum_; }

    // The variance, in half octaves from 1/2 of a code on.
    unsigned spread() const {
        const auto mean = mean_times_count();
        const auto variance = 4 * (count_ * squares_ - mean * mean) / (count_ * count_);  // in 16ths
        unsigned octave = 0;
        for (std::int64_t step = 8; octave < kContexts && variance >= step; ++octave)
            step = octave % 2 == 0 ? step * 3 / 2 : step * 4 / 3;
        return octave;
    }

    // The quarter of the codes' middle eighth in which the mean is, or that is next to it.
    unsigned mean() const {
        const auto scaled = 8 * sum_ / count_ + 2 * std::int64_t{type_.pairs};  // 0 to 4 * pairs: the middle
        return static_cast<unsigned>(std::clamp<std::int64_t>(scaled / type_.pairs, 0, kMeans - 1));
    }

    const CodeType& type_;
    bool centered_;
    std::int64_t origin_;
    std::int64_t count_ = 0, sum_ = 0, squares_ = 0;
};

constexpr unsigned kEnough = 64;  // codes, for their ratio to say something

std::optional<Chance> usable(std::int64_t chance) {
    constexpr std::int64_t kLeast = kCertain * 6 / 32;
    if (chance < kLeast || chance > kCertain - kLeast) return std::nullopt;
    return static_cast<Chance>(chance);
}

// The square root of n, rounded down.
std::uint64_t root_of(std::uint64_t n) {
    std::uint64_t root = 0;
    for (auto bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1) {
        if ((root | bit) * (root | bit) <= n) root |= bit;
    }
    return root;
}

// The chance of the upper code of a pair, if pairs above and below it, with centers 2^roots codes apart, have so many
// codes: the ratio for a step of one code is the 2^roots-th root of theirs. Roots have 24 bits of fraction.
std::optional<Chance> by_ratio(std::uint64_t above, std::uint64_t below, unsigned roots) {
    std::uint64_t a = (above + 1) << 24, b = (below + 1) << 24;
    for (unsigned i = 0; i < roots; ++i) {
        a = root_of(a << 24);
        b = root_of(b << 24);
    }
    return usable(static_cast<std::int64_t>(kCertain * a / (a + b)));
}

// Many equal codes, as of a filter that is dead.
bool is_spike(std::span<const std::uint16_t> codes, unsigned pair) {
    constexpr unsigned kMany = 16;
    return codes[pair] >= kMany && 2u * codes[pair] > 3u * (codes[pair - 1] + codes[pair + 1]);
}

// By the slope between the pairs around this one: the nearest on each side, or the nearest three or seven if there are
// few codes. The pair zero may hold the zeros of a pruned network.
std::optional<Chance> by_slope(const CodeType& type, std::span<const std::uint16_t> codes, unsigned pair) {
    if (is_spike(codes, pair) || (type.zero == 64 && pair == 63)) return std::nullopt;
    std::uint64_t above = 0, below = 0;
    unsigned roots = 2;
    for (unsigned away = 1; away <= 7; ++away) {
        if (away > pair || pair + away >= type.pairs) return std::nullopt;
        if (type.is_end(pair + away) || type.is_end(pair - away)) return std::nullopt;
        const bool piled =
            (pair + away == type.zero || pair - away == type.zero) && codes[type.zero] > 2 * codes[pair];
        if (piled) return std::nullopt;
        above += codes[pair + away];
        below += codes[pair - away];
        if (away != 1 && away != 3 && away != 7) continue;
        const auto enough = away == 7 ? kEnough : std::max(kEnough, type.pairs);
        if (above + below >= enough) return by_ratio(above, below, roots);
        ++roots;
    }
    return std::nullopt;
}

// The same for small floats, whose steps double at powers of two. Those, and the values above them, do not carry:
// below a power of two values lie twice as close, so that rounding makes it three quarters as frequent.
std::optional<Chance> by_slope_of_floats(const CodeType& type, std::span<const std::uint16_t> codes,
                                         unsigned pair) {
    const auto begins_exponent = [&](unsigned any) { return any % type.of_exponent == 0; };
    if (begins_exponent(pair) || type.is_end(pair + 1)) return std::nullopt;
    const std::uint64_t above = codes[pair + 1], below = codes[pair - 1];
    if (above + below < kEnough) return std::nullopt;
    // Each number is multiplied by the width of the other's pair, in quarters of this one's.
    const unsigned width_above = begins_exponent(pair + 1) ? 14 : 8;
    const unsigned width_below = begins_exponent(pair - 1) ? 7 : 8;
    return by_ratio(above * width_below / 4, below * width_above / 4, 2);
}

std::optional<Chance> chance_of(const CodeType& type, std::span<const std::uint16_t> codes, unsigned pair) {
    if (pair == type.zero || type.is_end(pair)) return std::nullopt;
    return type.of_exponent != 0 ? by_slope_of_floats(type, codes, pair) : by_slope(type, codes, pair);
}

// What is known of one code beyond its pair: the class and the mean of its group, how far it deviates from that mean, and
// the sum of how far the codes before and after it do. In 16ths of a code.
struct Setting {
    Context number = 0;
    std::int32_t mean = 0, deviation = 0, around = 0;
    int toward = 0;        // 1 if the two beside it are greater on average, -1 if they are less
    bool crowded = false;  // its pair has so many codes of the group that their weights are equal
};

// The chance of a code in its setting. The mean of its group may lie beside that of its class, and neighbors in a row are
// alike where weights are smooth, as in the kernels of a convolution: a deviation x is normally distributed around
// beta * y, where y is the sum of those beside it, with what is left of the variance.
class Likeness {
  public:
    explicit Likeness(const CodeType& type)
        : tilt_(type.tilt), peak_(kPeak / type.pairs), near_(kNear / type.pairs) {}

    void add(const Setting& code) {
        const std::int64_t x = code.deviation, y = code.around;
        xx_ += x * x;
        xy_ += x * y;
        yy_ += y * y;
        auto& own = classes_[code.number];
        own.squares += x * x;
        own.means += code.mean;
        ++own.count;
    }
    void settle() {
        if (xx_ == 0 || yy_ == 0) return;
        beta_ = std::clamp(xy_ * kOne / yy_, -kOne, kOne);
        explained_ = std::clamp<std::int64_t>(beta_ * xy_ / xx_, 0, kOne * 3 / 4);
    }
    // `chance`, which holds for all codes of the pair and class, for one of them.
    std::optional<Chance> given(Chance chance, const Setting& code) const {
        const auto& own = classes_[code.number];
        // Of 4,096: by how much the logarithm of the odds grows.
        std::int64_t more = tilt_ + (code.deviation < 0 ? peak_ : -peak_) + code.toward * near_;
        if (const auto variance = own.squares / own.count; variance != 0) {
            more += limited(kStep * (code.mean - own.means / own.count) / variance);
            more += limited(kStep * (beta_ * code.around - explained_ * code.deviation) /
                            (variance * (kOne - explained_)));
        }
        const auto for_each = std::int64_t{chance} * (kCertain - chance) / kCertain;
        return usable(kCertain / 2 + (chance + more * for_each / kCertain - kCertain / 2) * 29 / 32);
    }

  private:
    static constexpr std::int64_t kOne = 65'536, kStep = 16 * std::int64_t{kCertain};
    static std::int64_t limited(std::int64_t more) {
        return std::clamp<std::int64_t>(more, -std::int64_t{kCertain}, kCertain);
    }
    struct Class {
        std::int64_t squares = 0, means = 0, count = 0;
    };
    // Weights are more often near their mean than a parabola says: what was measured over 72 networks, for one pair.
    static constexpr std::int64_t kPeak = 480;
    static constexpr std::int64_t kNear = 1800;
    std::int64_t tilt_, peak_, near_;
    std::array<Class, kContexts> classes_{};
    std::int64_t xx_ = 0, xy_ = 0, yy_ = 0;
    std::int64_t beta_ = 0, explained_ = 0;
};

// What the codes of a block show without their lowest bits.
class Shown {
  public:
    Shown(const CodeType& type, std::span<const Code> codes)
        : type_(type), codes_(codes), settings_(codes.size()), likeness_(type) {
        const auto length = type.group == 0 ? codes.size() : type.group;
        for (std::size_t first = 0; first < codes.size(); first += length) add_group(first, length);
        likeness_.settle();
        for (std::size_t context = 0; context < kContexts; ++context) {
            const auto of_class = std::span(count_).subspan(context / type.pairs * type.pairs, type.pairs);
            chances_[context] = chance_of(type, of_class, static_cast<unsigned>(context) % type.pairs);
        }
    }

    // How often the lowest bit of the i-th code is 1.
    std::optional<Chance> chance(std::size_t i) const {
        const auto chance = chances_[context(i)];
        if (settings_[i].crowded) return std::nullopt;
        if (!chance || type_.of_exponent != 0) return chance;
        return likeness_.given(*chance, settings_[i]);
    }

  private:
    unsigned pair(std::size_t i) const { return codes_[i].value / 2u; }
    std::size_t context(std::size_t i) const {
        return std::size_t{settings_[i].number} * type_.pairs + pair(i);
    }

    void add_group(std::size_t first, std::size_t length) {
        const auto end = first + length;
        Group group(type_);
        for (auto i = first; i < end; ++i) group.add(pair(i));
        const auto number = static_cast<Context>(group.number());
        std::array<std::size_t, kContexts> of_pair{};
        for (auto i = first; i < end; ++i) ++of_pair[pair(i)];
        for (auto i = first; i < end; ++i) {
            const bool crowded =
                type_.group != 0 && 8 * type_.pairs * of_pair[pair(i)] >= (type_.pairs + 12) * length;
            settings_[i] = {number, group.middle(), group.deviation(pair(i)), 0, 0, crowded};
            ++count_[context(i)];
        }
        for (auto i = first; i < end; ++i) {
            auto& code = settings_[i];
            for (const std::size_t away : {1u, 3u}) {  // at an end twice the one that there is
                const bool before = i >= first + away, after = i + away < end;
                if (!before && !after) continue;
                const auto both = settings_[before ? i - away : i + away].deviation +
                                  settings_[after ? i + away : i - away].deviation;
                code.around += both;
                if (away == 1) code.toward = (both > 2 * code.deviation) - (both < 2 * code.deviation);
            }
            likeness_.add(code);
        }
    }

    const CodeType& type_;
    std::span<const Code> codes_;
    std::vector<Setting> settings_;
    std::array<std::uint16_t, kContexts> count_{};
    std::array<std::optional<Chance>, kContexts> chances_;
    Likeness likeness_;
};

}  // namespace

bool has_chances(DType dtype) {
    return code_type(dtype) != nullptr;
}

QuantizedCarriers quantized_carriers(DType dtype, std::span<const std::byte> block) {
    QuantizedCarriers carriers;
    const auto* type = code_type(dtype);
    if (type == nullptr) return carriers;
    const auto codes = codes_of(dtype, block);
    const Shown shown(*type, codes);
    std::vector<std::pair<std::uint32_t, Chance>> found;
    for (std::size_t i = 0; i < codes.size(); ++i) {
        if (const auto chance = shown.chance(i)) found.emplace_back(codes[i].bit, *chance);
    }
    std::ranges::sort(found);
    for (const auto& [bit, chance] : found) {
        carriers.bits.push_back(bit);
        carriers.chances.push_back(chance);
    }
    return carriers;
}

}  // namespace modelseal::mark
