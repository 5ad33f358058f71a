
#include "blackbox/pairs/make.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "blackbox/noise.h"
#include "blackbox/pairs/coverage.h"
#include "blackbox/pairs/grid.h"
#include "blackbox/pairs/placing.h"
#include "blackbox/pairs/record.h"
#include "blackbox/pairs/segment.h"
#include "blackbox/pairs/shifts.h"
#include "blackbox/pairs/walk.h"
#include "blackbox/probe.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

constexpr std::size_t kSpare = 8;  // every so many pairs one more, for those that a rung loses

// The story of making, one step a function.
class Maker {
  public:
    Maker(oracle::Network& network, const Plan& plan, std::size_t classes, const Keyed& keyed,
          Progress& progress)
        : plan_(plan),
          keyed_(keyed),
          progress_(progress),
          probe_(probe_of(network, plan, classes)),
          lattice_(lattice_of(plan.input, plan.grid)) {
        auto& print = made_.fingerprint;
        print = facts_of(plan, probe_);
        print.unit = lattice_.unit;
    }

    Result<void> run();
    Made finish() {
        made_.evaluations = probe_.evaluations();
        return std::move(made_);
    }

  private:
    Result<void> find(std::size_t count);
    Result<void> measure();
    Result<void> add_exact();
    Result<void> add_spaced(Rung rung, const Noise& noise, double floor, std::vector<double> units);
    Result<void> add_measurements();
    Result<void> add(RungOfPairs rung);
    std::size_t path_of(std::size_t crossing);

    const Plan& plan_;
    const Keyed& keyed_;
    Progress& progress_;
    Probe probe_;
    Lattice lattice_;
    Made made_;
    std::vector<Crossing> crossings_;
    std::vector<Bracket> brackets_;
    std::vector<std::size_t> paths_;  // of crossings in the fingerprint, or npos
    std::vector<double> units_;       // of the paths in the fingerprint: how noisy they are
    std::vector<Tried> tried_;        // what computes in float32
    Noise fp32_;
    std::optional<Noise> mixed_;
    double spread_ = 0;
};

// Labels show borders of classes alone. Where no gradient leads to those of keyed classes, others must do.
Result<void> Maker::find(std::size_t count) {
    if (plan_.access != Access::label) {
        std::vector<float> scales;
        if (plan_.access == Access::values) {
            MODELSEAL_TRY_ASSIGN(scales, scales_of_outputs(probe_, keyed_, lattice_));
        }
        MODELSEAL_TRY_ASSIGN(crossings_, find_levels(probe_, keyed_, lattice_, scales, count, progress_));
        return {};
    }
    auto walked = walk_to_borders(probe_, keyed_, lattice_, count, progress_);
    if (!walked && walked.error().kind == ErrorKind::unsupported && plan_.grid == Grid::none)
        walked = find_borders(probe_, keyed_, lattice_, count, progress_);
    MODELSEAL_TRY_ASSIGN(crossings_, std::move(walked));
    return {};
}

Result<void> Maker::measure() {
    std::vector<double> middle;
    for (const auto& [below, above] : brackets_) middle.push_back((below + above) / 2);
    NoiseInputs inputs{.pixels = pixels_at(probe_, lattice_, crossings_, middle),
                       .boundaries = boundaries_of(crossings_),
                       .margins = {}};
    MODELSEAL_TRY_ASSIGN(const auto outputs, probe_.outputs(inputs.pixels));
    for (std::size_t row = 0; row < outputs.count; ++row)
        inputs.margins.push_back(score(outputs, row, inputs.boundaries[row]).margin);
    spread_ = plan_.access == Access::values ? spread_of_terms(outputs, inputs.boundaries) : spread_of(outputs);
    const auto measured = [&](const std::vector<Tried>& tried) {
        for (const auto& one : tried) made_.runtimes.push_back(one.facts);
        return noise_over(tried, units_of(tried, crossings_.size()));
    };
    MODELSEAL_TRY_ASSIGN(tried_, try_fp32(probe_, inputs, plan_.threads));
    fp32_ = measured(tried_);
    MODELSEAL_TRY_ASSIGN(const auto mixed, try_mixed(probe_, inputs));
    if (!mixed.empty()) mixed_ = measured(mixed);
    return {};
}

std::size_t Maker::path_of(std::size_t crossing) {
    if (paths_.empty()) paths_.assign(crossings_.size(), std::string::npos);
    if (paths_[crossing] == std::string::npos) {
        paths_[crossing] = made_.fingerprint.pairs().paths.size();
        made_.fingerprint.pairs().paths.push_back(crossings_[crossing].path);
        units_.push_back(fp32_.units[crossing]);
    }
    return paths_[crossing];
}

Result<void> Maker::add(RungOfPairs rung) {
    MODELSEAL_TRY(add_rung(probe_, plan_, std::move(rung), made_));
    progress_.advance(plan_.count);
    return {};
}

Result<void> Maker::add_exact() {
    RungOfPairs rung{.rung = Rung::exact};
    for (std::size_t i = 0; i < crossings_.size() && rung.pairs.size() < plan_.count; ++i) {
        Pair pair{.path = static_cast<std::uint32_t>(path_of(i)), .target = crossings_[i].target};
        pair.member[0].position = brackets_[i][0];
        pair.member[1].position = brackets_[i][1];
        rung.pairs.push_back(pair);
    }
    return add(std::move(rung));
}

// `units`: of the crossings, in which the noise is and the floor.
Result<void> Maker::add_spaced(Rung which, const Noise& noise, double floor, std::vector<double> units) {
    RungOfPairs rung{
        .rung = which, .noise = noise.largest, .scale = noise.scale, .floor = floor, .tried = noise.tried};
    auto& print = made_.fingerprint.pairs();
    const auto add_pair = [&](std::size_t path, std::size_t crossing, const Bracket& at) {
        Pair pair{.path = static_cast<std::uint32_t>(path),
                  .target = crossings_[crossing].target,
                  .unit = units[crossing]};
        pair.member[0].position = at[0];
        pair.member[1].position = at[1];
        rung.pairs.push_back(pair);
    };
    std::vector<double> floors;
    for (const double unit : units) floors.push_back(unit * floor);
    if (plan_.grid == Grid::u8) {
        MODELSEAL_TRY_ASSIGN(auto paths, place_on_grid(probe_, lattice_, keyed_, crossings_, floors));
        for (std::size_t i = 0; i < paths.size() && rung.pairs.size() < plan_.count; ++i) {
            if (paths[i].base.empty()) continue;
            add_pair(print.paths.size(), i, {0, 1});
            print.paths.push_back(std::move(paths[i]));
            units_.push_back(fp32_.units[i]);
        }
        return add(std::move(rung));
    }
    MODELSEAL_TRY_ASSIGN(const auto placed, place(probe_, lattice_, crossings_, brackets_, floors));
    for (std::size_t i = 0; i < placed.size() && rung.pairs.size() < plan_.count; ++i) {
        if (std::isnan(placed[i][0]) || std::isnan(placed[i][1])) continue;
        add_pair(path_of(i), i, placed[i]);
    }
    return add(std::move(rung));
}

// Labels show no margins.
Result<void> Maker::add_measurements() {
    if (plan_.access == Access::label || made_.fingerprint.pairs().rungs.empty()) return {};
    if (!fp32_.wide) {
        made_.notes.emplace_back(
            "how honest runtimes move the margins could not be measured widely, so margins count only "
            "where they cross a boundary");
        return {};
    }
    MODELSEAL_TRY(measure_shifts(probe_, made_.fingerprint, units_, {tried_, fp32_.units}, plan_.threads));
    const auto covered = measure_coverage(probe_, made_.fingerprint);
    if (covered || covered.error().kind != ErrorKind::unsupported) return covered;
    made_.notes.push_back("which weights the pairs cover is not known: " + covered.error().message);
    return {};
}

Result<void> Maker::run() {
    const std::size_t wanted = plan_.count + plan_.count / kSpare + 1;
    progress_.total(wanted + 3ull * plan_.count);
    MODELSEAL_TRY(find(wanted));
    if (plan_.grid == Grid::none) {
        // Values show every bit that differs; of labels nothing but the side shows, and no place is close enough.
        const double tolerance = plan_.access == Access::label ? kNeighbors : kNear;
        MODELSEAL_TRY_ASSIGN(brackets_, bracket(probe_, lattice_, crossings_, tolerance));
    } else {
        brackets_.assign(crossings_.size(), {0, 0});
    }
    MODELSEAL_TRY(measure());
    // Grid neighbors are further apart than any runtime's rounding: there is nothing exact between them.
    if (plan_.grid == Grid::none) MODELSEAL_TRY(add_exact());
    const double least = fp32_floor(fp32_, spread_, plan_.count);
    // No margin is less than float32 itself is off by, and none of mixed less than twice that of fp32.
    auto units = fp32_.units;
    for (auto& unit : units) unit = std::max(unit, kLeastFloor * spread_ / least);
    MODELSEAL_TRY(add_spaced(Rung::fp32, fp32_, least, units));
    if (!mixed_) {
        made_.notes.emplace_back(
            "the network does not run with rounded weights, so the fingerprint has no rung for mixed "
            "precision");
        return add_measurements();
    }
    const double wide = mixed_floor(*mixed_, spread_, plan_.count, least);
    auto wide_units = mixed_->units;
    for (std::size_t i = 0; i < units.size(); ++i) {
        wide_units[i] = std::max({wide_units[i], kLeastMixed * spread_ / wide, 2 * least * units[i] / wide});
    }
    MODELSEAL_TRY(add_spaced(Rung::mixed, *mixed_, wide, wide_units));
    return add_measurements();
}

}  // namespace

Result<void> add_rung(Probe& probe, const Plan& plan, RungOfPairs rung, Made& made) {
    if (!rung.pairs.empty()) {
        MODELSEAL_TRY(record(probe, made.fingerprint, rung, plan.count));
    }
    if (rung.pairs.size() < plan.count) {
        made.notes.push_back(fmt::format("{} of {} fit the rung '{}'", rung.pairs.size(),
                                         util::counted(plan.count, "pair"), name_of(rung.rung)));
    }
    if (!rung.pairs.empty()) made.fingerprint.pairs().rungs.push_back(std::move(rung));
    return {};
}

Result<Made> make_pairs(oracle::Network& network, const Plan& plan, const Secret32& secret,
                        std::span<const std::byte, 32> salt, Progress& progress) {
    MODELSEAL_TRY_ASSIGN(const auto outputs, network.outputs());
    auto adapted = plan;
    if (!outputs.classifies) {
        // The error says what is missing for a classifier.
        if (plan.access != Access::logits && plan.access != Access::values) {
            MODELSEAL_TRY(network.classes());
        }
        adapted.access = Access::values;
    }
    const Keyed keyed(secret, salt, plan.seeds);
    Maker maker(network, adapted, outputs.count, keyed, progress);
    MODELSEAL_TRY(maker.run());
    auto made = maker.finish();
    if (!made.fingerprint.pairs().rungs.empty()) return made;
    return Error{
        ErrorKind::unsupported, network.name() + ": its answers hold still nowhere: no pair fits any rung", {}};
}

}  // namespace modelseal::blackbox
