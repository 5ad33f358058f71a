#include "blackbox/pairs/shifts.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/math/distributions/binomial.hpp>

#include "blackbox/pairs/inputs.h"

namespace modelseal::blackbox {
namespace {

// Paths whose noise is measured with all their members.
constexpr std::size_t kMeasured = 24;
constexpr double kQuiet = 1.0 / 8;  // of the noise of the noisiest
constexpr double kUnsure = 0.05;  // that the chance is larger than what was counted says (Clopper and Pearson)

struct MemberOfPath {
    const Pair* pair;
    int member;
};

// The members of each path, on any rung.
std::vector<std::vector<MemberOfPath>> members_by_path(const Pairs& pairs) {
    std::vector<std::vector<MemberOfPath>> members(pairs.paths.size());
    for (const auto& rung : pairs.rungs) {
        for (const auto& pair : rung.pairs) {
            for (const int member : {0, 1}) members[pair.path].push_back({&pair, member});
        }
    }
    return members;
}

double root_mean_square(std::span<const double> offs, std::span<const double> units) {
    double sum = 0;
    for (std::size_t i = 0; i < offs.size(); ++i) sum += offs[i] * offs[i] / (units[i] * units[i]);
    return std::sqrt(sum / static_cast<double>(offs.size()));
}

// Collects what many runtimes show, each in units of its own noise.
class Counting {
  public:
    // Runtimes that are much quieter than the noisiest of `tried` say nothing about its noise: nearly all of their answers are the
    // very same.
    void add(std::span<const Tried> tried, std::span<const double> units) {
        std::vector<double> noises;
        for (const auto& one : tried) noises.push_back(root_mean_square(one.offs, units));
        noisiest_ = noises.empty() ? 0 : std::ranges::max(noises);
        for (std::size_t i = 0; i < tried.size(); ++i) {
            if (noises[i] > kQuiet * noisiest_) count(tried[i].offs, units, noises[i]);
        }
    }
    double noisiest() const { return noisiest_; }  // of those that were added last
    HonestShifts counts() const { return counts_; }

  private:
    void count(std::span<const double> offs, std::span<const double> units, double noise) {
        counts_.counted += offs.size();
        for (std::size_t level = 0; level < kShiftLevels.size(); ++level) {
            for (std::size_t i = 0; i < offs.size(); ++i) {
                if (std::abs(offs[i]) > kShiftLevels[level] * noise * units[i]) ++counts_.beyond[level];
            }
        }
    }

    double noisiest_ = 0;
    HonestShifts counts_{.beyond = std::vector<std::uint64_t>(kShiftLevels.size()), .counted = 0};
};

// The least number of `count` paths that a runtime, for which each is beyond a level with this chance, exceeds with a chance of at
// most `most`.
std::uint64_t least_alarm(std::uint64_t count, double chance, double most) {
    const boost::math::binomial_distribution<> paths(static_cast<double>(count), std::min(1.0, chance));
    std::uint64_t least = 1;
    while (least <= count && cdf(complement(paths, static_cast<double>(least - 1))) > most) ++least;
    return least;
}

// Jitter up to what batches of other sizes make is noise like that of other runtimes (verdict.h).
double variation(const Pairs& pairs, const Heard& heard) {
    const auto fp32 = std::ranges::find(pairs.rungs, Rung::fp32, &RungOfPairs::rung);
    const bool steady = fp32 != pairs.rungs.end() && heard.jitter <= kSteadyShare * fp32->floor;
    return steady ? 0 : kJitterFactor * heard.jitter;
}

// The mean shift of a path.
struct MeanShift {
    std::size_t known = 0;
    double shift = 0, doubt = 0;
};

}  // namespace

Result<void> measure_shifts(Probe& probe, Fingerprint& fingerprint, std::span<const double> units,
                            const NoiseOfInputs& of_inputs, unsigned threads) {
    auto& pairs = fingerprint.pairs();
    const auto members = members_by_path(pairs);
    NoiseInputs inputs;
    std::vector<double> measured;
    for (std::size_t path = 0; path < members.size() && measured.size() < kMeasured; ++path) {
        if (members[path].empty()) continue;
        measured.push_back(units[path]);
        for (const auto& [pair, member] : members[path]) {
            append_input(fingerprint, *pair, member, inputs.pixels);
            inputs.boundaries.push_back(boundary_of(pairs, *pair));
            inputs.margins.push_back(pair->member[member].margin);
            inputs.groups.push_back(path);
        }
    }
    inputs.few = inputs.groups.size();
    MODELSEAL_TRY_ASSIGN(const auto tried,
                         try_fp32(probe, inputs, threads, loud_ones(of_inputs.tried, of_inputs.units)));
    Counting counting;
    counting.add(tried, measured);
    const double noisiest = counting.noisiest();
    counting.add(of_inputs.tried, of_inputs.units);
    pairs.shifts = counting.counts();
    for (std::size_t path = 0; path < pairs.paths.size(); ++path)
        pairs.paths[path].noise = noisiest * units[path];
    return {};
}

std::vector<ShiftReading::Level> shift_levels(const HonestShifts& shifts, std::uint64_t compared) {
    std::vector<ShiftReading::Level> levels;
    for (std::size_t level = 0; level < kShiftLevels.size(); ++level) {
        const double chance = boost::math::binomial_distribution<>::find_upper_bound_on_p(
            static_cast<double>(shifts.counted), static_cast<double>(shifts.beyond[level]), kUnsure);
        levels.push_back(
            {.factor = kStranger * kShiftLevels[level],
             .threshold = least_alarm(compared, chance, kShiftsPart * kFalseAlarms / kShiftLevels.size())});
    }
    return levels;
}

std::optional<ShiftReading> read_shifts(const Fingerprint& fingerprint, const Heard& heard) {
    const auto& pairs = fingerprint.pairs();
    if (pairs.shifts.counted == 0 || !heard.outputs) return std::nullopt;
    const double vary = variation(pairs, heard);
    std::vector<MeanShift> means(pairs.paths.size());
    std::size_t row = 0;
    for (const auto& rung : pairs.rungs) {
        for (const int member : {0, 1}) {
            for (const auto& pair : rung.pairs) {
                const auto scored = score(*heard.outputs, row++, boundary_of(pairs, pair));
                if (!std::isfinite(scored.doubt)) continue;
                auto& mean = means[pair.path];
                ++mean.known;
                mean.shift += scored.margin - pair.member[member].margin;
                mean.doubt += scored.doubt + vary * pair.unit + heard.stray;
            }
        }
    }
    ShiftReading reading;
    const auto members = members_by_path(pairs);
    for (const auto& of_path : members) reading.compared += of_path.empty() ? 0 : 1;
    reading.levels = shift_levels(pairs.shifts, reading.compared);
    for (auto& level : reading.levels) {
        for (std::size_t path = 0; path < means.size(); ++path) {
            if (members[path].empty()) continue;
            const auto& mean = means[path];
            const auto known = static_cast<double>(mean.known);
            const double limit = level.factor * pairs.paths[path].noise;
            if (mean.known == 0 || std::abs(mean.shift) > limit * known) ++level.as_answered;
            if (mean.known > 0 && std::abs(mean.shift) - mean.doubt > limit * known) ++level.moved;
        }
    }
    return reading;
}

}  // namespace modelseal::blackbox
