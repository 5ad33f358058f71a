#include "blackbox/pairs/judge.h"

#include <algorithm>

#include <fmt/format.h>

#include "blackbox/pairs/reading.h"
#include "blackbox/pairs/shifts.h"

namespace modelseal::blackbox {
namespace {

constexpr Wording kPairWords = {"pair", "all answers are on their side of the boundary",
                                "crossed the boundary or moved as far"};

std::optional<double> floor_of_mixed(const Pairs& pairs) {
    const auto mixed = std::ranges::find(pairs.rungs, Rung::mixed, &RungOfPairs::rung);
    return mixed == pairs.rungs.end() ? std::nullopt : std::optional(mixed->floor);
}

}  // namespace

Result<FingerprintFinding> judge_pairs(const Fingerprint& fingerprint, const Replies& replies,
                                       std::optional<Rung> rung, const std::string& who) {
    const auto& pairs = fingerprint.pairs();
    std::size_t rows = 0;
    for (const auto& one : pairs.rungs) rows += 2 * one.pairs.size();
    MODELSEAL_TRY_ASSIGN(const auto heard, hear(fingerprint, replies, rows, floor_of_mixed(pairs), who));
    std::vector<RungReading> readings;
    FingerprintFinding::Pairs details;
    std::size_t first = 0;
    for (const auto& one : pairs.rungs) {
        auto reading = read_rung(fingerprint, one, first, heard);
        readings.push_back(std::move(reading.rung));
        details.rungs.push_back(std::move(reading.details));
        first += 2 * one.pairs.size();
    }
    auto finding = conclude(readings, read_shifts(fingerprint, heard), rung, replies, kPairWords);
    if (!finding) {
        return Error{
            ErrorKind::usage, fmt::format("the fingerprint has no pairs on the rung '{}'", name_of(*rung)), {}};
    }
    finding->access = name_of(fingerprint.access);
    if (const auto& coverage = pairs.coverage)
        finding->coverage = {coverage->change, coverage->all.weights, coverage->all.noticed};
    finding->details = std::move(details);
    return std::move(*finding);
}

}  // namespace modelseal::blackbox
