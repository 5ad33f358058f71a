#include "blackbox/pairs/coverage.h"

#include <algorithm>
#include <cmath>

#include "blackbox/pairs/inputs.h"
#include "blackbox/pairs/reading.h"
#include "blackbox/pairs/shifts.h"

namespace modelseal::blackbox {
namespace {

// A margin that moves by more than that of the nearer member is a mismatch, whichever way.
oracle::Noticing by_flips(const Pairs& pairs, const RungOfPairs& rung) {
    const auto spaced =
        std::ranges::count_if(pairs.rungs, [](const RungOfPairs& one) { return one.rung != Rung::exact; });
    const double share = share_of_rung(static_cast<std::size_t>(spaced), true);
    oracle::Noticing way{.limits = {}, .needed = threshold_of(chances_of(rung, true), share).mismatches};
    for (const auto& pair : rung.pairs) {
        way.limits.push_back(static_cast<float>(std::min(-pair.member[0].margin, pair.member[1].margin)));
    }
    return way;
}

// Paths without a pair on this rung count as not moved.
std::vector<oracle::Noticing> by_shifts(const Pairs& pairs, const RungOfPairs& rung) {
    std::vector<bool> has_members(pairs.paths.size());
    for (const auto& one : pairs.rungs) {
        for (const auto& pair : one.pairs) has_members[pair.path] = true;
    }
    const auto compared = static_cast<std::uint64_t>(std::ranges::count(has_members, true));
    std::vector<oracle::Noticing> ways;
    for (const auto& level : shift_levels(pairs.shifts, compared)) {
        auto& way = ways.emplace_back(oracle::Noticing{.limits = {}, .needed = level.threshold});
        for (const auto& pair : rung.pairs)
            way.limits.push_back(static_cast<float>(level.factor * pairs.paths[pair.path].noise));
    }
    return ways;
}

}  // namespace

Result<void> measure_coverage(Probe& probe, Fingerprint& fingerprint) {
    auto& pairs = fingerprint.pairs();
    const auto rung = std::ranges::find(pairs.rungs, Rung::fp32, &RungOfPairs::rung);
    if (rung == pairs.rungs.end() || pairs.shifts.counted == 0) return {};
    std::vector<float> pixels;
    for (const auto& pair : rung->pairs) append_input(fingerprint, pair, 0, pixels);
    MODELSEAL_TRY_ASSIGN(const auto outputs, probe.outputs(pixels));
    std::vector<float> cotangents(outputs.values.size());
    for (std::size_t row = 0; row < outputs.count; ++row) {
        derive(outputs.row(row), outputs.probabilities, boundary_of(pairs, rung->pairs[row]),
               std::span(cotangents).subspan(row * outputs.classes, outputs.classes));
    }
    auto ways = by_shifts(pairs, *rung);
    ways.push_back(by_flips(pairs, *rung));
    MODELSEAL_TRY_ASSIGN(const auto covered,
                         probe.coverage(std::move(pixels), cotangents, kCoveredChange, ways));
    pairs.coverage = FingerprintSummary::Coverage{};
    auto& coverage = *pairs.coverage;
    coverage.change = kCoveredChange;
    for (const auto& one : covered) {
        coverage.tensors.push_back({one.name, one.weights, one.noticed, one.dead});
        coverage.all.weights += one.weights;
        coverage.all.noticed += one.noticed;
        coverage.all.dead += one.dead;
    }
    return {};
}

}  // namespace modelseal::blackbox
