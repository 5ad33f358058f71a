
#include "blackbox/pairs/grid.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelseal::blackbox {
namespace {

constexpr unsigned kMostRounds = 12;
constexpr unsigned kMostAtOnce = 64;  // pixels of one member between two evaluations
constexpr double kGridBand = 2;       // of the floor: gray levels are coarse
constexpr double kAim = 1.4;          // of the floor: the middle of the band
constexpr double kNearEnough = 0.25;  // of the floor, from the aim

// One member under way.
class Mover {
  public:
    std::size_t row;  // its crossing
    double sign;      // the side it belongs to
    std::vector<float> levels;
    std::vector<float> gradient;  // of the margin, by one level
    double margin = 0;
    bool done = false;

    // Moves pixels by one level, each time the one that brings the margin nearest to the aim if it were linear;
    // none twice, since each move spends its slope. False if nothing helps.
    bool move(double floor, float highest) {
        bool moved = false;
        for (unsigned count = 0; count < kMostAtOnce; ++count) {
            const double missing = sign * kAim * floor - margin;
            if (std::abs(missing) < kNearEnough * floor || !move_one(missing, highest)) break;
            moved = true;
        }
        return moved;
    }

  private:
    bool move_one(double missing, float highest) {
        std::size_t best = levels.size();
        double nearest = std::abs(missing), step = 0;
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const auto slope = static_cast<double>(gradient[i]);
            const double direction = slope * missing > 0 ? 1 : -1;
            const double level = static_cast<double>(levels[i]) + direction;
            const double left = std::abs(missing - direction * slope);
            if (slope == 0 || level < 0 || level > static_cast<double>(highest) || left >= nearest) continue;
            nearest = left;
            best = i;
            step = direction;
        }
        if (best == levels.size()) return false;
        levels[best] += static_cast<float>(step);
        margin += step * static_cast<double>(gradient[best]);
        gradient[best] = 0;
        return true;
    }
};

class GridSearch {
  public:
    GridSearch(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings)
        : probe_(probe), lattice_(lattice), crossings_(crossings), boundaries_(boundaries_of(crossings)) {}

    Result<void> bisect(const Keyed& keyed);
    Result<void> refine(std::span<const double> floors);
    std::vector<Path> paths() const;

  private:
    std::vector<float> pixels_of(const std::vector<Mover*>& movers) const;
    std::vector<float> prefix(std::size_t row, std::size_t count) const;
    Result<void> learn_slopes();

    Probe& probe_;
    const Lattice& lattice_;
    std::span<const Crossing> crossings_;
    std::vector<Boundary> boundaries_;
    std::vector<std::vector<std::uint32_t>> order_;
    std::vector<Mover> movers_;  // two for each crossing, negative side first
};

std::vector<float> GridSearch::pixels_of(const std::vector<Mover*>& movers) const {
    std::vector<float> pixels;
    for (const auto* mover : movers) {
        for (const float level : mover->levels) {
            pixels.push_back(pixel_of(probe_.input(), lattice_.unit, static_cast<double>(level)));
        }
    }
    return pixels;
}

// The crossing's base with the first `count` pixels of its order moved to the other side.
std::vector<float> GridSearch::prefix(std::size_t row, std::size_t count) const {
    auto levels = crossings_[row].path.base;
    for (std::size_t i = 0; i < count; ++i) {
        const auto pixel = order_[row][i];
        levels[pixel] += crossings_[row].path.direction[pixel];
    }
    return levels;
}

Result<void> GridSearch::bisect(const Keyed& keyed) {
    const auto elements = probe_.elements();
    for (const auto& crossing : crossings_) order_.push_back(keyed.order(crossing.start, elements));
    std::vector<std::size_t> below(crossings_.size(), 0), above(crossings_.size(), elements);
    for (std::size_t width = elements; width > 1; width = (width + 1) / 2) {
        std::vector<Mover> middle;
        std::vector<Mover*> shown;
        for (std::size_t row = 0; row < crossings_.size(); ++row) {
            middle.push_back({row, 0, prefix(row, (below[row] + above[row]) / 2), {}});
        }
        for (auto& one : middle) shown.push_back(&one);
        MODELSEAL_TRY_ASSIGN(const auto scored, probe_.score(pixels_of(shown), boundaries_));
        for (std::size_t row = 0; row < crossings_.size(); ++row) {
            (scored[row].margin < 0 ? below : above)[row] = (below[row] + above[row]) / 2;
        }
    }
    for (std::size_t row = 0; row < crossings_.size(); ++row) {
        movers_.push_back({row, -1, prefix(row, below[row]), {}});
        movers_.push_back({row, 1, prefix(row, above[row]), {}});
    }
    return {};
}

Result<void> GridSearch::learn_slopes() {
    std::vector<Mover*> all;
    std::vector<Boundary> boundaries;
    for (auto& mover : movers_) {
        all.push_back(&mover);
        boundaries.push_back(boundaries_[mover.row]);
    }
    MODELSEAL_TRY_ASSIGN(const auto slopes, probe_.slopes(pixels_of(all), boundaries));
    for (std::size_t i = 0; i < movers_.size(); ++i) {
        const auto gradient = std::span(slopes.gradient).subspan(i * probe_.elements(), probe_.elements());
        movers_[i].gradient.assign(gradient.begin(), gradient.end());
        for (auto& slope : movers_[i].gradient) slope *= static_cast<float>(lattice_.unit);
        movers_[i].margin = slopes.at[i].margin;
    }
    return {};
}

Result<void> GridSearch::refine(std::span<const double> floors) {
    MODELSEAL_TRY(learn_slopes());
    for (unsigned round = 0;; ++round) {
        std::vector<Mover*> moved;
        std::vector<Boundary> boundaries;
        for (auto& mover : movers_) {
            const double along = mover.sign * mover.margin, floor = floors[mover.row];
            mover.done = along >= 1.05 * floor && along < 0.98 * kGridBand * floor;
            if (mover.done || round == kMostRounds ||
                !mover.move(floor, static_cast<float>(lattice_.levels - 1)))
                continue;
            moved.push_back(&mover);
            boundaries.push_back(boundaries_[mover.row]);
        }
        if (moved.empty()) break;
        MODELSEAL_TRY_ASSIGN(const auto scored, probe_.score(pixels_of(moved), boundaries));
        for (std::size_t i = 0; i < moved.size(); ++i) moved[i]->margin = scored[i].margin;
    }
    return {};
}

std::vector<Path> GridSearch::paths() const {
    std::vector<Path> paths(crossings_.size());
    for (std::size_t row = 0; row < crossings_.size(); ++row) {
        const auto& negative = movers_[2 * row];
        const auto& positive = movers_[2 * row + 1];
        if (!negative.done || !positive.done) continue;
        paths[row] = crossings_[row].path;
        paths[row].base = negative.levels;
        paths[row].direction = positive.levels;
        for (std::size_t i = 0; i < negative.levels.size(); ++i) {
            paths[row].direction[i] -= negative.levels[i];
        }
    }
    return paths;
}

}  // namespace

Result<std::vector<Path>> place_on_grid(Probe& probe, const Lattice& lattice, const Keyed& keyed,
                                        std::span<const Crossing> crossings, std::span<const double> floors) {
    GridSearch search(probe, lattice, crossings);
    MODELSEAL_TRY(search.bisect(keyed));
    MODELSEAL_TRY(search.refine(floors));
    return search.paths();
}

}  // namespace modelseal::blackbox
