#include "fingerprint/placing.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelseal::fingerprint {
namespace {

// A path has a few thousand distinct float32 inputs in every 2^-16 of its length; closer than this, inputs are
// the same.
constexpr double kTolerance = 0x1p-32;
constexpr unsigned kMostRounds = 60;
constexpr unsigned kMostPlacings = 10;
constexpr double kAim = 1.25;    // of the floor: inside the band, near its lower end
constexpr double kFarthest = 4;  // positions are in [-3, 4]: the path is nearly straight so far

// Margins of crossings[i] at positions[i], for the rows named.
Result<std::vector<double>> margins(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                                    std::span<const double> direction, std::span<const std::size_t> rows,
                                    std::span<const double> positions) {
    std::vector<float> pixels;
    std::vector<Boundary> boundaries;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto one = crossings.subspan(rows[i], 1);
        const auto input = pixels_at(probe, lattice, one, positions.subspan(i, 1));
        pixels.insert(pixels.end(), input.begin(), input.end());
        boundaries.push_back({direction, one.front().target});
    }
    MODELSEAL_TRY_ASSIGN(const auto scored, probe.score(std::move(pixels), boundaries));
    std::vector<double> margins;
    for (const auto& one : scored) margins.push_back(one.margin);
    return margins;
}

// The state of one root search: the boundary lies between `a` and `b`; `c` is the point before.
struct Search {
    double a, b, c, fa, fb, fc;
    double t = 0.5;
    bool done = false;

    double next() const { return a + t * (b - a); }

    void take(double x, double fx) {
        if ((fx < 0) == (fa < 0)) {
            c = a;
            fc = fa;
        } else {
            c = b;
            b = a;
            fc = fb;
            fb = fa;
        }
        a = x;
        fa = fx;
        const double least = kTolerance / std::abs(b - a);
        done = least >= 0.5;
        const double xi = (a - b) / (c - b), phi = (fa - fb) / (fc - fb);
        const bool smooth = phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi;
        t = !smooth ? 0.5
                    : fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb);
        if (!std::isfinite(t)) t = 0.5;
        t = std::clamp(t, std::min(least, 0.5), std::max(1 - least, 0.5));
    }

    Bracket found() const { return fa < 0 ? Bracket{a, b} : Bracket{b, a}; }
};

// The search for a place on one side of the boundary.
struct Side {
    std::size_t row;
    double sign, root, slope;
    double at = std::numeric_limits<double>::quiet_NaN();
    bool done = false;

    void aim(double floor) { at = std::clamp(root + sign * kAim * floor / slope, 1 - kFarthest, kFarthest); }
    void take(double margin, double floor) {
        const double along = sign * margin;
        done = along >= floor && along < kBand * floor;
        if (done) return;
        const double measured = margin / (at - root);
        slope = measured > 0 && std::isfinite(measured) ? measured : slope / 2;
        aim(floor);
    }
};

}  // namespace

Result<std::vector<Bracket>> bracket(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                                     std::span<const double> direction) {
    std::vector<Search> searches;
    for (const auto& crossing : crossings) {
        searches.push_back({.a = 0,
                            .b = 1,
                            .c = 0,
                            .fa = crossing.margin[0],
                            .fb = crossing.margin[1],
                            .fc = crossing.margin[0]});
    }
    for (unsigned round = 0; round < kMostRounds; ++round) {
        std::vector<std::size_t> rows;
        std::vector<double> positions;
        for (std::size_t row = 0; row < searches.size(); ++row) {
            if (searches[row].done) continue;
            rows.push_back(row);
            positions.push_back(searches[row].next());
        }
        if (rows.empty()) break;
        MODELSEAL_TRY_ASSIGN(const auto at, margins(probe, lattice, crossings, direction, rows, positions));
        for (std::size_t i = 0; i < rows.size(); ++i) searches[rows[i]].take(positions[i], at[i]);
    }
    std::vector<Bracket> brackets;
    for (const auto& search : searches) brackets.push_back(search.found());
    return brackets;
}

Result<std::vector<Bracket>> place(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                                   std::span<const Bracket> brackets, std::span<const double> direction,
                                   double floor) {
    std::vector<Side> sides;
    for (std::size_t row = 0; row < crossings.size(); ++row) {
        const double slope = crossings[row].margin[1] - crossings[row].margin[0];
        const double root = (brackets[row][0] + brackets[row][1]) / 2;
        for (const double sign : {-1.0, 1.0}) {
            sides.push_back({row, sign, root, slope});
            sides.back().aim(floor);
        }
    }
    for (unsigned round = 0; round < kMostPlacings; ++round) {
        std::vector<std::size_t> open, rows;
        std::vector<double> positions;
        for (std::size_t i = 0; i < sides.size(); ++i) {
            if (sides[i].done) continue;
            open.push_back(i);
            rows.push_back(sides[i].row);
            positions.push_back(sides[i].at);
        }
        if (open.empty()) break;
        MODELSEAL_TRY_ASSIGN(const auto at, margins(probe, lattice, crossings, direction, rows, positions));
        for (std::size_t i = 0; i < open.size(); ++i) sides[open[i]].take(at[i], floor);
    }
    std::vector<Bracket> placed(crossings.size());
    for (std::size_t i = 0; i < sides.size(); ++i) {
        placed[sides[i].row][i % 2] = sides[i].done ? sides[i].at : std::numeric_limits<double>::quiet_NaN();
    }
    return placed;
}

}  // namespace modelseal::fingerprint
