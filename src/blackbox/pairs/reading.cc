#include "blackbox/pairs/reading.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace modelseal::blackbox {
namespace {

enum class Side { agrees, mismatches, untold };

// Labels show moves across the boundary alone, values those of the same size away from it as well.
double chance_of_mismatch(const RungOfPairs& rung, const Pair& pair, bool values) {
    if (rung.rung == Rung::exact) return 0;
    return (values ? 1 : 0.5) *
           (chance_of_crossing(pair.member[0].margin, rung.scale * pair.unit, rung.floor * pair.unit) +
            chance_of_crossing(pair.member[1].margin, rung.scale * pair.unit, rung.floor * pair.unit));
}

// In units of the noise of each.
double least_margin(const RungOfPairs& rung) {
    double least = std::numeric_limits<double>::infinity();
    for (const auto& pair : rung.pairs) {
        for (const auto& member : pair.member) least = std::min(least, std::abs(member.margin) / pair.unit);
    }
    return least;
}

class Reader {
  public:
    Reader(const Fingerprint& fingerprint, const RungOfPairs& rung, const Heard& heard)
        : fingerprint_(fingerprint), rung_(rung), heard_(heard) {
        reading_.rung.rung = rung.rung;
        reading_.rung.finding.name = name_of(rung.rung);
        reading_.rung.finding.noise = rung.noise;
        reading_.rung.finding.scale = rung.scale;
        reading_.rung.finding.floor = rung.floor;
        if (rung.noise > 0) reading_.rung.headroom = least_margin(rung) / rung.noise;
        reading_.rung.tried = rung.tried;
        reading_.rung.most_drift = rung.drift;
        reading_.rung.steady = heard.jitter <= kSteadyShare * rung.floor;
        // On the rung exact any jitter is a difference to the record, as it should be.
        if (!reading_.rung.steady && rung.rung != Rung::exact) vary_ = kJitterFactor * heard.jitter;
    }

    PairsReading read(std::size_t first) && {
        reading_.rung.chances = chances_of(rung_, heard_.outputs.has_value());
        for (std::size_t i = 0; i < rung_.pairs.size(); ++i) {
            take(rung_.pairs[i], {first + i, first + rung_.pairs.size() + i});
        }
        if (known_ > 0) {
            reading_.rung.drift = shift_sum_ / static_cast<double>(known_);
            reading_.rung.slack = slack_sum_ / static_cast<double>(known_);
        }
        return std::move(reading_);
    }

  private:
    struct Answered {
        Side side;
        bool other_bits = false;
    };

    void take(const Pair& pair, const std::array<std::size_t, 2>& rows) {
        std::array<Answered, 2> members;
        for (const std::size_t which : {0u, 1u}) {
            members[which] = heard_.outputs.has_value() ? by_margin(pair, which, rows[which])
                                                        : by_label(pair, which, rows[which]);
        }
        auto& finding = reading_.rung.finding;
        const auto any = [&](auto is) { return std::ranges::any_of(members, is); };
        const bool flipped = any([](const Answered& one) { return one.side == Side::mismatches; });
        const bool untold = any([](const Answered& one) { return one.side == Side::untold; });
        const bool differs = any([](const Answered& one) { return one.other_bits; });
        if (untold && !flipped && !differs) {
            ++finding.untold;
            return;
        }
        ++finding.compared;
        reading_.details.flipped += flipped ? 1 : 0;
        finding.mismatched += flipped || differs ? 1 : 0;
    }

    Answered by_label(const Pair& pair, std::size_t which, std::size_t row) const {
        if (vary_ > 0) return {Side::untold};
        const bool inside = heard_.labels[row] == static_cast<std::int64_t>(pair.target);
        return {inside == (which == 1) ? Side::agrees : Side::mismatches};
    }

    Answered by_margin(const Pair& pair, std::size_t which, std::size_t row) {
        const auto boundary = boundary_of(fingerprint_.pairs(), pair);
        const auto scored = score(*heard_.outputs, row, boundary);
        const double recorded = pair.member[which].margin;
        // Noise moves the logarithm of a small probability further than that of a large one.
        const double noise = heard_.noisy.has_value() ? score(*heard_.noisy, row, boundary).doubt : 0;
        const double doubt = scored.doubt + vary_ * pair.unit;
        note_shift(pair, recorded, scored.margin, std::max(scored.doubt, noise));
        if (which == 0) {
            reading_.details.recorded.emplace_back();
            reading_.details.answered.emplace_back();
            reading_.details.moved.emplace_back();
        }
        reading_.details.recorded.back()[which] = recorded;
        reading_.details.answered.back()[which] = scored.margin;

        // As many honest answers move a margin away from the boundary as across it. With a floor both
        // directions are bounded, so that forged answers cannot keep sides right with margins of any size.
        const bool on_its_side = (scored.margin > 0) == (which == 1);
        const double beyond = std::abs(scored.margin) - 2 * std::abs(recorded);
        const bool bounded = on_its_side && rung_.floor > 0;
        const bool agrees = on_its_side && !(bounded && beyond > 0);
        const double distance =
            bounded ? std::min(std::abs(scored.margin), std::abs(beyond)) : std::abs(scored.margin);
        const double least = agrees ? doubt : std::max(doubt, noise) + heard_.stray;
        if (least > 0 && !(distance > least)) return {Side::untold};
        // On the very same runtime answers are the very same.
        const bool to_the_bit = rung_.rung == Rung::exact && fingerprint_.pairs().schedule == Schedule::keyed;
        const bool other_bits = to_the_bit && scored.margin != recorded;
        reading_.details.moved.back()[which] = !agrees || other_bits;
        return {agrees ? Side::agrees : Side::mismatches, other_bits};
    }

    // A margin of which nothing is known, from a probability of 0, has no part in the mean.
    void note_shift(const Pair& pair, double recorded, double answered, double doubt) {
        reading_.rung.shifts.push_back(std::abs(answered - recorded));
        if (!std::isfinite(doubt)) return;
        ++known_;
        shift_sum_ += answered - recorded;
        slack_sum_ += doubt + kJitterFactor * heard_.jitter * pair.unit + heard_.stray;
    }

    const Fingerprint& fingerprint_;
    const RungOfPairs& rung_;
    const Heard& heard_;
    PairsReading reading_;
    double vary_ = 0;  // in units of the noise of a pair: margins may be off by so much because answers vary
    std::size_t known_ = 0;
    double shift_sum_ = 0, slack_sum_ = 0;
};

}  // namespace

std::vector<double> chances_of(const RungOfPairs& rung, bool values) {
    std::vector<double> chances;
    for (const auto& pair : rung.pairs) chances.push_back(chance_of_mismatch(rung, pair, values));
    return chances;
}

PairsReading read_rung(const Fingerprint& fingerprint, const RungOfPairs& rung, std::size_t first,
                       const Heard& heard) {
    return Reader(fingerprint, rung, heard).read(first);
}

}  // namespace modelseal::blackbox
