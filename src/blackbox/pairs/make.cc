
#include "blackbox/pairs/make.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include <fmt/format.h>

#include "blackbox/noise.h"
#include "blackbox/pairs/crossing.h"
#include "blackbox/pairs/grid.h"
#include "blackbox/pairs/placing.h"
#include "blackbox/pairs/record.h"
#include "blackbox/probe.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

constexpr double kDriftShare = 1.0 / 4;  // of a floor: all weights rounded once more stay within it
constexpr double kLeastDrift = 0x1p-23;  // of the spread: one unit in the last place, in all logits alike
constexpr std::size_t kSpare = 8;        // every so many pairs one more, for those that a rung loses

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
        if (plan.access != Access::label) print.pairs().direction = keyed.direction(classes);
    }

    Result<void> run();
    Made finish() {
        made_.evaluations = probe_.evaluations();
        return std::move(made_);
    }

  private:
    Result<void> measure();
    Result<void> add_exact();
    Result<void> add_spaced(Rung rung, const Noise& noise, double floor);
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
    Noise fp32_, mixed_;
    double spread_ = 0;
};

Result<void> Maker::measure() {
    std::vector<double> middle;
    for (const auto& [below, above] : brackets_) middle.push_back((below + above) / 2);
    const auto pixels = pixels_at(probe_, lattice_, crossings_, middle);
    const auto boundaries = boundaries_of(crossings_, made_.fingerprint.pairs().direction);
    MODELSEAL_TRY_ASSIGN(const auto outputs, probe_.outputs(pixels));
    spread_ = spread_of(outputs);
    MODELSEAL_TRY_ASSIGN(fp32_, fp32_noise(probe_, pixels, boundaries, outputs, plan_.threads));
    MODELSEAL_TRY_ASSIGN(mixed_, mixed_noise(probe_, pixels, boundaries, outputs));
    for (const auto* noise : {&fp32_, &mixed_})
        std::ranges::copy(noise->runtimes, std::back_inserter(made_.runtimes));
    return {};
}

std::size_t Maker::path_of(std::size_t crossing) {
    if (paths_.empty()) paths_.assign(crossings_.size(), std::string::npos);
    if (paths_[crossing] == std::string::npos) {
        paths_[crossing] = made_.fingerprint.pairs().paths.size();
        made_.fingerprint.pairs().paths.push_back(crossings_[crossing].path);
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

Result<void> Maker::add_spaced(Rung which, const Noise& noise, double floor) {
    RungOfPairs rung{.rung = which, .noise = noise.largest, .scale = noise.scale, .floor = floor};
    if (plan_.access != Access::label) {
        rung.drift = std::max({kDriftFactor * noise.drift, kDriftShare * floor, kLeastDrift * spread_});
    }
    auto& print = made_.fingerprint.pairs();
    const auto add_pair = [&](std::size_t path, std::uint32_t target, const Bracket& at) {
        Pair pair{.path = static_cast<std::uint32_t>(path), .target = target};
        pair.member[0].position = at[0];
        pair.member[1].position = at[1];
        rung.pairs.push_back(pair);
    };
    if (plan_.grid == Grid::u8) {
        MODELSEAL_TRY_ASSIGN(auto paths,
                             place_on_grid(probe_, lattice_, keyed_, crossings_, print.direction, floor));
        for (std::size_t i = 0; i < paths.size() && rung.pairs.size() < plan_.count; ++i) {
            if (paths[i].base.empty()) continue;
            add_pair(print.paths.size(), crossings_[i].target, {0, 1});
            print.paths.push_back(std::move(paths[i]));
        }
        return add(std::move(rung));
    }
    MODELSEAL_TRY_ASSIGN(const auto placed,
                         place(probe_, lattice_, crossings_, brackets_, print.direction, floor));
    for (std::size_t i = 0; i < placed.size() && rung.pairs.size() < plan_.count; ++i) {
        if (std::isnan(placed[i][0]) || std::isnan(placed[i][1])) continue;
        add_pair(path_of(i), crossings_[i].target, placed[i]);
    }
    return add(std::move(rung));
}

Result<void> Maker::run() {
    const std::size_t wanted = plan_.count + plan_.count / kSpare + 1;
    progress_.total(wanted + 3ull * plan_.count);
    auto& direction = made_.fingerprint.pairs().direction;
    MODELSEAL_TRY_ASSIGN(crossings_, find_crossings(probe_, keyed_, lattice_, direction, wanted, progress_));
    if (plan_.grid == Grid::none) {
        MODELSEAL_TRY_ASSIGN(brackets_, bracket(probe_, lattice_, crossings_, direction));
    } else {
        brackets_.assign(crossings_.size(), {0, 0});
    }
    MODELSEAL_TRY(measure());
    // Grid neighbors are further apart than any runtime's rounding: there is nothing exact between them.
    if (plan_.grid == Grid::none) MODELSEAL_TRY(add_exact());
    const double least = fp32_floor(fp32_, spread_, plan_.count);
    MODELSEAL_TRY(add_spaced(Rung::fp32, fp32_, least));
    if (mixed_.runtimes.empty()) {
        made_.notes.emplace_back(
            "the network does not run with rounded weights, so the fingerprint has no rung for mixed "
            "precision");
        return {};
    }
    return add_spaced(Rung::mixed, mixed_, mixed_floor(mixed_, spread_, plan_.count, least));
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
    MODELSEAL_TRY_ASSIGN(const auto classes, network.classes());
    const Keyed keyed(secret, salt);
    Maker maker(network, plan, classes, keyed, progress);
    MODELSEAL_TRY(maker.run());
    return maker.finish();
}

}  // namespace modelseal::blackbox
