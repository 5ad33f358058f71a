#include "blackbox/pairs/record.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "blackbox/pairs/inputs.h"
#include "blackbox/pairs/placing.h"

namespace modelseal::blackbox {
namespace {

constexpr unsigned kMostRecordRounds = 24;

Result<void> ask(Probe& probe, const Fingerprint& fingerprint, RungOfPairs& rung) {
    std::vector<Boundary> boundaries;
    for (int member = 0; member < 2; ++member) {
        for (const auto& pair : rung.pairs) boundaries.push_back(boundary_of(fingerprint.pairs(), pair));
    }
    MODELSEAL_TRY_ASSIGN(const auto scored, probe.score(inputs_of(fingerprint, rung.pairs), boundaries));
    for (std::size_t i = 0; i < scored.size(); ++i) {
        auto& member = rung.pairs[i % rung.pairs.size()].member[i / rung.pairs.size()];
        // Of a probability of 0 nothing is known that another runtime would have to repeat: no place for a
        // pair.
        member.margin =
            std::isfinite(scored[i].doubt) ? scored[i].margin : std::numeric_limits<double>::quiet_NaN();
        member.label = scored[i].label;
    }
    return {};
}

bool settled(const Pair& pair, double floor) {
    const double below = pair.member[0].margin, above = pair.member[1].margin;
    return floor > 0 ? below <= -floor && above >= floor : below < 0 && above > 0;
}

// Members that are not where they belong go a little further out; farther each time.
bool mend(Pair& pair, double floor, double distance) {
    const auto belongs = [&](const Member& member, double sign) {
        return floor > 0 ? sign * member.margin >= floor : sign * member.margin > 0;
    };
    if (!belongs(pair.member[0], -1)) pair.member[0].position -= distance;
    if (!belongs(pair.member[1], 1)) pair.member[1].position += distance;
    return !settled(pair, floor);
}

// The largest change of a margin when all inputs are evaluated again: 0 if the runtime repeats itself bit by
// bit.
Result<double> unsteadiness(Probe& probe, const Fingerprint& fingerprint, const RungOfPairs& rung) {
    auto again = rung;
    MODELSEAL_TRY(ask(probe, fingerprint, again));
    double most = 0;
    for (std::size_t i = 0; i < rung.pairs.size(); ++i) {
        for (const int member : {0, 1}) {
            most = std::max(
                most, std::abs(again.pairs[i].member[member].margin - rung.pairs[i].member[member].margin));
        }
    }
    return most;
}

Result<void> settle(Probe& probe, Fingerprint& fingerprint, RungOfPairs& rung) {
    // On a path of its own (the grid's) a member stays where it is.
    const bool movable = fingerprint.grid == Grid::none && fingerprint.pairs().schedule == Schedule::keyed;
    // Members of the rung exact are as close as they may be: neighbors where labels must tell, else near ones (placing.h).
    const double closest = fingerprint.access == Access::label ? kNeighbors : kNear;
    double distance = rung.floor > 0 ? 0x1p-10 : closest;
    for (unsigned round = 0; round < kMostRecordRounds; ++round, distance *= 2) {
        MODELSEAL_TRY(ask(probe, fingerprint, rung));
        bool moved = false;
        for (auto& pair : rung.pairs) moved |= movable && mend(pair, rung.floor * pair.unit, distance);
        if (!moved) break;
    }
    return {};
}

}  // namespace

Result<void> record(Probe& probe, Fingerprint& fingerprint, RungOfPairs& rung, std::size_t keep) {
    if (rung.pairs.size() > keep) rung.pairs.resize(keep);
    MODELSEAL_TRY(settle(probe, fingerprint, rung));
    // Dropping pairs changes which inputs share a batch, and so the last bits: evaluate again until nothing
    // more is dropped.
    for (;;) {
        const auto dropped =
            std::erase_if(rung.pairs, [&](const Pair& pair) { return !settled(pair, rung.floor * pair.unit); });
        if (dropped == 0 || rung.pairs.empty()) break;
        MODELSEAL_TRY(ask(probe, fingerprint, rung));
    }
    if (rung.rung == Rung::exact && !rung.pairs.empty()) {
        MODELSEAL_TRY_ASSIGN(rung.noise, unsteadiness(probe, fingerprint, rung));
    }
    return {};
}

}  // namespace modelseal::blackbox
