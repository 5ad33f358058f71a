#include "mark/coding/modeled_bits.h"

#include "mark/coding/bits.h"

namespace modelseal::mark {
namespace {

constexpr std::uint32_t kHalf = std::uint32_t{1} << 31, kQuarter = std::uint32_t{1} << 30;

// What both directions share. `Doubling` says what an interval was narrowed to before it is doubled.
class Interval {
  public:
    enum class Doubling { none, low_half, high_half, middle };

    std::uint32_t split(Chance chance) const {
        return low_ + static_cast<std::uint32_t>(std::uint64_t{high_ - low_} * (kCertain - chance) / kCertain);
    }
    void narrow(std::uint32_t split, bool one) { one ? low_ = split + 1 : high_ = split; }

    Doubling next_doubling() {
        Doubling doubling = Doubling::none;
        std::uint32_t from = 0;
        if (high_ < kHalf) {
            doubling = Doubling::low_half;
        } else if (low_ >= kHalf) {
            doubling = Doubling::high_half;
            from = kHalf;
        } else if (low_ >= kQuarter && high_ < kHalf + kQuarter) {
            doubling = Doubling::middle;
            from = kQuarter;
        }
        if (doubling == Doubling::none) return doubling;
        low_ = (low_ - from) << 1;
        high_ = ((high_ - from) << 1) | 1u;
        return doubling;
    }
    static std::uint32_t start_of(Doubling doubling) {
        return doubling == Doubling::high_half ? kHalf : doubling == Doubling::middle ? kQuarter : 0;
    }

  private:
    std::uint32_t low_ = 0;
    std::uint32_t high_ = ~std::uint32_t{0};
};

}  // namespace

std::uint64_t least_entropy(std::span<const Chance> chances) {
    std::uint64_t sum = 0;
    for (const std::uint64_t chance : chances) sum += chance * (kCertain - chance) / (kCertain / 4);
    return sum;
}

std::vector<std::byte> draw_carriers(std::span<const Chance> chances, std::span<const std::byte> message) {
    std::vector<std::byte> carriers((chances.size() + 7) / 8);
    Interval interval;
    std::size_t taken = 0;
    std::uint32_t value = 0;
    const auto take = [&] {
        const bool one = taken < 8 * message.size() && bit_at(message, taken);
        value = (value << 1) | (one ? 1u : 0u);
        ++taken;
    };
    while (taken < 32) take();
    for (std::size_t i = 0; i < chances.size(); ++i) {
        const auto split = interval.split(chances[i]);
        const bool one = value > split;
        if (one) set_bit(carriers, i);
        interval.narrow(split, one);
        for (auto doubling = interval.next_doubling(); doubling != Interval::Doubling::none;
             doubling = interval.next_doubling()) {
            value -= Interval::start_of(doubling);
            take();
        }
    }
    return carriers;
}

std::vector<std::byte> message_of(std::span<const Chance> chances, std::span<const std::byte> carriers,
                                  std::size_t bytes) {
    std::vector<std::byte> message(bytes);
    Interval interval;
    std::size_t settled = 0, due = 0;
    const auto put = [&](bool one) {
        if (settled < 8 * bytes && one) set_bit(message, settled);
        ++settled;
    };
    for (std::size_t i = 0; i < chances.size() && settled < 8 * bytes; ++i) {
        interval.narrow(interval.split(chances[i]), bit_at(carriers, i));
        for (auto doubling = interval.next_doubling(); doubling != Interval::Doubling::none;
             doubling = interval.next_doubling()) {
            if (doubling == Interval::Doubling::middle) {
                ++due;
                continue;
            }
            const bool one = doubling == Interval::Doubling::high_half;
            put(one);
            for (; due > 0; --due) put(!one);
        }
    }
    return message;
}

}  // namespace modelseal::mark
