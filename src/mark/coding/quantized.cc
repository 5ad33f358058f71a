#include "mark/coding/quantized.h"

#include <algorithm>
#include <array>
#include <optional>

namespace modelseal::mark {
namespace {

unsigned at(std::span<const std::byte> bytes, std::size_t index) {
    return std::to_integer<unsigned>(bytes[index]);
}

constexpr unsigned kNone = 0x100;

// A class and a pair: class * number of pairs + pair.
constexpr std::size_t kContexts = 256;
using Context = std::uint8_t;

// What a block shows.
struct Codes {
    std::vector<std::uint32_t> positions;          // of bytes whose lowest bit may carry, ascending
    std::vector<Context> contexts;                 // of each
    std::array<std::uint16_t, kContexts> count{};  // of codes in each context, also of those that may not carry
};

// Types of one value a byte, or of two 4-bit values of which the lower carries.
struct PlainRule {
    DType dtype;
    unsigned bits;       // of the byte that are the code
    unsigned spared[3];  // even members of pairs that stay as they are
    unsigned sign;       // is inverted, so that codes ascend
};
constexpr PlainRule kPlainRules[] = {
    {DType::i8, 0xFF, {0x00, 0x80, 0x7E}, 0x80},     {DType::qint8, 0xFF, {0x00, 0x80, 0x7E}, 0x80},
    {DType::u8, 0xFF, {0x00, 0xFE, kNone}, 0},       {DType::quint8, 0xFF, {0x00, 0xFE, kNone}, 0},
    {DType::i4, 0x0F, {0x00, 0x08, 0x06}, 0x08},     {DType::u4, 0x0F, {0x00, 0x0E, kNone}, 0},
    {DType::quint4x2, 0x0F, {0x00, 0x0E, kNone}, 0},
};

// FP8 (OCP OFP8; the fnuz forms): normal values below the pair with the greatest finite one.
struct SmallFloatRule {
    DType dtype;
    unsigned mantissa_bits;
    unsigned end;  // even member of that pair
};
constexpr SmallFloatRule kSmallFloatRules[] = {
    {DType::f8_e4m3fn, 3, 0x7E},
    {DType::f8_e4m3fnuz, 3, 0x7E},
    {DType::f8_e5m2, 2, 0x7A},
    {DType::f8_e5m2fnuz, 2, 0x7E},
};

// A code of a GGUF type: its byte, and whether its low bits are the lowest of that byte. Only those carry.
struct Code {
    unsigned value = 0;
    std::size_t byte = 0;
    bool lowest = true;
};

// The j-th code of a block in ggml's order of elements (ggml-common.h, ggml-quants.c).
using CodeAt = Code (*)(std::span<const std::byte> block, std::size_t j);

Code nibble(std::span<const std::byte> block, std::size_t byte, bool upper) {
    return {upper ? at(block, byte) >> 4 : at(block, byte) & 0x0Fu, byte, !upper};
}
// 32 codes: first the lower nibbles of 16 bytes from `First` on, then the upper ones.
template <std::size_t First>
Code of_32(std::span<const std::byte> block, std::size_t j) {
    return nibble(block, First + j % 16, j >= 16);
}
// With a fifth bit each, from byte `Fifth` on.
template <std::size_t First, std::size_t Fifth>
Code of_32_with_fifth(std::span<const std::byte> block, std::size_t j) {
    auto code = of_32<First>(block, j);
    code.value |= (at(block, Fifth + j / 8) >> (j % 8) & 1u) << 4;
    return code;
}
// 256 codes: in turn the lower and the upper nibbles of 32 bytes.
template <std::size_t First>
Code of_256(std::span<const std::byte> block, std::size_t j) {
    return nibble(block, First + j / 64 * 32 + j % 32, j % 64 >= 32);
}
Code of_q5_k(std::span<const std::byte> block, std::size_t j) {
    auto code = of_256<48>(block, j);
    code.value |= (at(block, 16 + j % 32) >> (j / 32) & 1u) << 4;
    return code;
}
Code of_q6_k(std::span<const std::byte> block, std::size_t j) {
    const auto half = j / 128, quarter = j % 128 / 32, place = j % 32;
    auto code = nibble(block, half * 64 + quarter % 2 * 32 + place, quarter >= 2);
    code.value |= (at(block, 128 + half * 32 + place) >> (2 * quarter) & 3u) << 4;
    return code;
}
Code of_q8_0(std::span<const std::byte> block, std::size_t j) {
    return {at(block, 2 + j) ^ 0x80u, 2 + j, true};
}

struct GroupRule {
    DType dtype;
    std::size_t codes;   // in a block
    std::size_t group;   // codes of one scale
    unsigned pairs;      // of a code
    unsigned zero;       // its code, the mean of a group; kNone: a group has a minimum of its own
    unsigned spared[3];  // even members of pairs that stay as they are
    CodeAt code_at;
};
constexpr GroupRule kGroupRules[] = {
    {DType::q4_0, 32, 32, 8, 8, {0, 8, 14}, of_32<2>},
    {DType::q4_1, 32, 32, 8, kNone, {0, 14, kNone}, of_32<4>},
    {DType::q5_0, 32, 32, 16, 16, {0, 16, 30}, of_32_with_fifth<6, 2>},
    {DType::q5_1, 32, 32, 16, kNone, {0, 30, kNone}, of_32_with_fifth<8, 4>},
    {DType::q8_0, 32, 32, 128, 128, {0x00, 0x80, 0xFE}, of_q8_0},
    {DType::q4_k, 256, 32, 8, kNone, {0, 14, kNone}, of_256<16>},
    {DType::q5_k, 256, 32, 16, kNone, {0, 30, kNone}, of_q5_k},
    {DType::q6_k, 256, 16, 32, 32, {0, 32, 62}, of_q6_k},
};

template <class Rule, std::size_t N>
const Rule* rule_for(const Rule (&rules)[N], DType dtype) {
    const auto found = std::ranges::find(rules, dtype, &Rule::dtype);
    return found == std::end(rules) ? nullptr : found;
}

template <class Rule>
bool is_spared(const Rule& rule, unsigned code) {
    return std::ranges::count(rule.spared, code & ~1u) != 0;
}

// The codes of one group, less their lowest bits. All in integers, so that every machine comes to the same classes.
class Group {
  public:
    explicit Group(const GroupRule& rule) : rule_(rule) {}
    void add(unsigned pair) {
        // Twice the middle of the pair, from the middle of the codes or from zero.
        const auto origin =
            rule_.zero == kNone ? 2 * std::int64_t{rule_.pairs} - 1 : 2 * std::int64_t{rule_.zero};
        const auto center = 4 * std::int64_t{pair} + 1 - origin;
        ++count_;
        sum_ += center;
        squares_ += center * center;
    }
    unsigned number() const {
        const auto classes = static_cast<unsigned>(kContexts) / rule_.pairs;
        if (rule_.zero != kNone) return std::min(spread(0), classes - 1);
        return mean() * (classes / kMeans) + std::min(spread(sum_) / 2, classes / kMeans - 1);
    }

  private:
    static constexpr unsigned kMeans = 4;

    // The variance of the codes around a mean, `mean` times their number, in half octaves from 1/2 on.
    unsigned spread(std::int64_t mean) const {
        const auto variance = 4 * (count_ * squares_ - mean * mean) / (count_ * count_);  // in 16ths
        unsigned octave = 0;
        for (std::int64_t step = 8; octave < kContexts && variance >= step; ++octave)
            step = octave % 2 == 0 ? step * 3 / 2 : step * 4 / 3;
        return octave;
    }

    // The quarter of the codes' middle eighth in which the mean is, or that is next to it.
    unsigned mean() const {
        const auto scaled = 8 * sum_ / count_ + 2 * std::int64_t{rule_.pairs};  // 0 to 4 * pairs: the middle
        return static_cast<unsigned>(std::clamp<std::int64_t>(scaled / rule_.pairs, 0, kMeans - 1));
    }

    const GroupRule& rule_;
    std::int64_t count_ = 0, sum_ = 0, squares_ = 0;
};

class Collector {
  public:
    void plain(const PlainRule& rule, std::span<const std::byte> block) {
        for (std::size_t i = 0; i < block.size(); ++i) {
            const auto code = at(block, i) & rule.bits;
            const auto context = static_cast<Context>((code ^ rule.sign) / 2);
            ++codes_.count[context];
            if (!is_spared(rule, code)) carry(i, context);
        }
    }
    void small_floats(const SmallFloatRule& rule, std::span<const std::byte> block) {
        for (std::size_t i = 0; i < block.size(); ++i) {
            const auto magnitude = at(block, i) & 0x7Fu;
            const auto context = static_cast<Context>(magnitude / 2);
            ++codes_.count[context];
            if (magnitude >> rule.mantissa_bits != 0 && magnitude < rule.end) carry(i, context);
        }
    }
    // One block of the type, which lies at `offset`. Its carriers are kept in the order of their bytes.
    void groups(const GroupRule& rule, std::span<const std::byte> block, std::size_t offset) {
        std::array<std::optional<Context>, 256> carriers;
        for (std::size_t first = 0; first < rule.codes; first += rule.group) {
            Group group(rule);
            for (std::size_t j = first; j < first + rule.group; ++j)
                group.add(rule.code_at(block, j).value / 2);
            const auto base = group.number() * rule.pairs;
            for (std::size_t j = first; j < first + rule.group; ++j) {
                const auto code = rule.code_at(block, j);
                const auto context = static_cast<Context>(base + code.value / 2);
                ++codes_.count[context];
                if (code.lowest && !is_spared(rule, code.value)) carriers[code.byte] = context;
            }
        }
        for (std::size_t byte = 0; byte < block.size(); ++byte) {
            if (carriers[byte]) carry(offset + byte, *carriers[byte]);
        }
    }
    Codes take() { return std::move(codes_); }

  private:
    void carry(std::size_t position, Context context) {
        codes_.positions.push_back(static_cast<std::uint32_t>(position));
        codes_.contexts.push_back(context);
    }
    Codes codes_;
};

std::optional<Chance> usable(std::uint64_t chance) {
    constexpr unsigned kRare = kCertain * 13 / 32;
    if (chance < kRare || chance > kCertain - kRare) return std::nullopt;
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
    return usable(kCertain * a / (a + b));
}

// By the slope between the pairs around this one: the nearest on each side, or the nearest three or seven if there are
// few codes. `ends` are spared pairs with forced codes, `zero` the pair that may hold the zeros of a pruned network.
template <class IsEnd>
std::optional<Chance> by_neighbors(std::span<const std::uint16_t> codes, unsigned pair, unsigned zero,
                                   const IsEnd& is_end) {
    constexpr unsigned kEnough = 64;
    std::uint64_t above = 0, below = 0;
    unsigned roots = 2;
    for (unsigned away = 1; away <= 7; ++away) {
        if (away > pair || pair + away >= codes.size() || is_end(pair + away) || is_end(pair - away))
            return std::nullopt;
        const bool piled = (pair + away == zero || pair - away == zero) && codes[zero] > 2 * codes[pair];
        if (piled) return std::nullopt;
        above += codes[pair + away];
        below += codes[pair - away];
        if (away != 1 && away != 3 && away != 7) continue;
        if (above + below >= kEnough) return by_ratio(above, below, roots);
        ++roots;
    }
    return std::nullopt;
}

Codes codes_of(DType dtype, std::span<const std::byte> block) {
    Collector collector;
    if (const auto* rule = rule_for(kPlainRules, dtype)) collector.plain(*rule, block);
    if (const auto* rule = rule_for(kSmallFloatRules, dtype)) collector.small_floats(*rule, block);
    if (const auto* rule = rule_for(kGroupRules, dtype)) {
        const std::size_t size = info(dtype).group_bytes;
        for (std::size_t start = 0; start + size <= block.size(); start += size)
            collector.groups(*rule, block.subspan(start, size), start);
    }
    return collector.take();
}

std::optional<Chance> chance_in(DType dtype, const std::array<std::uint16_t, kContexts>& count,
                                Context context) {
    const auto all = std::span(count);
    if (const auto* rule = rule_for(kPlainRules, dtype)) {
        const auto zero = rule->sign / 2;
        const auto is_end = [&](unsigned pair) {
            return pair != zero && is_spared(*rule, (2 * pair) ^ rule->sign);
        };
        return by_neighbors(all.first((rule->bits + 1) / 2), context, zero, is_end);
    }
    if (const auto* rule = rule_for(kSmallFloatRules, dtype)) {
        const auto is_end = [&](unsigned pair) {
            return (2 * pair) >> rule->mantissa_bits == 0 || 2 * pair >= rule->end;
        };
        return by_neighbors(all.first(0x40), context, kNone, is_end);
    }
    const auto* rule = rule_for(kGroupRules, dtype);
    const auto zero = rule->zero == kNone ? kNone : rule->zero / 2;
    const auto is_end = [&](unsigned pair) { return pair != zero && is_spared(*rule, 2 * pair); };
    return by_neighbors(all.subspan(context / rule->pairs * rule->pairs, rule->pairs), context % rule->pairs,
                        zero, is_end);
}

}  // namespace

bool has_chances(DType dtype) {
    return rule_for(kPlainRules, dtype) != nullptr || rule_for(kSmallFloatRules, dtype) != nullptr ||
           rule_for(kGroupRules, dtype) != nullptr;
}

QuantizedCarriers quantized_carriers(DType dtype, std::span<const std::byte> block) {
    const auto codes = codes_of(dtype, block);
    std::array<std::optional<Chance>, kContexts> chances;
    for (std::size_t context = 0; context < kContexts; ++context)
        chances[context] = chance_in(dtype, codes.count, static_cast<Context>(context));
    QuantizedCarriers carriers;
    for (std::size_t i = 0; i < codes.positions.size(); ++i) {
        const auto& chance = chances[codes.contexts[i]];
        if (!chance) continue;
        carriers.positions.push_back(codes.positions[i]);
        carriers.chances.push_back(*chance);
    }
    return carriers;
}

}  // namespace modelseal::mark
