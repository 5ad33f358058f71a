
#include "blackbox/pairs/placing.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace modelseal::blackbox {
namespace {

constexpr unsigned kMostPlacingRounds = 60;
constexpr unsigned kMostPlacings = 14;
constexpr double kPlacingAim = 1.1;  // of the floor: inside the band, near its lower end
constexpr double kFarthest = 48;     // from the root, in lengths of the path; inputs end at their range anyway

// Margins of crossings[i] at positions[i], for the rows named.
Result<std::vector<double>> margins(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                                    std::span<const std::size_t> rows, std::span<const double> positions) {
    std::vector<float> pixels;
    std::vector<Boundary> boundaries;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto one = crossings.subspan(rows[i], 1);
        const auto input = pixels_at(probe, lattice, one, positions.subspan(i, 1));
        pixels.insert(pixels.end(), input.begin(), input.end());
        boundaries.push_back(boundary_of(one.front()));
    }
    MODELSEAL_TRY_ASSIGN(const auto scored, probe.score(std::move(pixels), boundaries));
    std::vector<double> margins;
    for (const auto& one : scored) margins.push_back(one.margin);
    return margins;
}

// The state of one root search by Chandrupatla's method: the boundary lies between `a` and `b`, the last point
// asked is `a`, and `c` is the one given up last. The invariant is that fa and fb differ in sign, so the root
// stays bracketed whatever the margin does between the points. Inverse quadratic interpolation is used where
// his criterion says that it is monotonic on the bracket (phi^2 < xi and (1 - phi)^2 < 1 - xi), else a
// bisection: margins of ReLU networks have kinks, on which pure interpolation would stall.
struct Search {
    double a, b, c, fa, fb, fc;
    double tolerance;
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
        // Of the bracket's length, the least part by which the next point keeps away from its ends. At half of
        // it the bracket is two tolerances wide: no further input lies between its ends.
        const double least = tolerance / std::abs(b - a);
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

// The search for a place on one side of the boundary: outwards until the margin is large enough, then between
// the last place where it was too small and the first where it was too large. Where margins jump, as those of
// quantized networks do, and none is in the band, the nearest beyond it will do.
//
// The two sides of the band have different reasons. At least the floor, because honest runtimes move a margin
// by less (make.cc), so a flip is not theirs. Less than kBand times the floor,
// because a pair that is farther away notices less: the margin must be moved all the way across.
struct SideOfPair {
    std::size_t row;
    double sign, root;
    double at = 0;                                         // next position to evaluate
    double near = 0;                                       // distance from the root: margin too small
    double far = std::numeric_limits<double>::infinity();  // margin at least the floor
    bool done = false;

    double distance() const { return std::abs(at - root); }

    void take(double margin, double floor) {
        const double along = sign * margin;
        const double here = distance();
        if (along >= floor) far = std::min(far, here);
        done = along >= floor && along < kBand * floor;
        if (done) return;
        if (along < floor) near = std::max(near, here);
        // As if the margin grew linearly from the root, of which it is 0. A point on the wrong side (rounding,
        // or a second crossing) gives no guess. Outwards a step grows by 1.3 to 4 times, so that a flat stretch
        // does not throw it to the end of the range.
        const double guess = along > 0 ? here * kPlacingAim * floor / along : 0;
        const bool inside = guess > near && guess < far;
        const double next = std::isinf(far) ? std::clamp(guess, 1.3 * here, 4 * here)
                            : inside        ? guess
                                            : (near + far) / 2;
        if (next > kFarthest) done = true;
        at = root + sign * std::min(next, kFarthest);
    }
    double place() const {
        return std::isinf(far) ? std::numeric_limits<double>::quiet_NaN() : root + sign * far;
    }
};

}  // namespace

Result<std::vector<Bracket>> bracket(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                                     double tolerance) {
    std::vector<Search> searches;
    for (const auto& crossing : crossings) {
        searches.push_back({.a = 0,
                            .b = 1,
                            .c = 0,
                            .fa = crossing.margin[0],
                            .fb = crossing.margin[1],
                            .fc = crossing.margin[0],
                            .tolerance = tolerance});
    }
    for (unsigned round = 0; round < kMostPlacingRounds; ++round) {
        std::vector<std::size_t> rows;
        std::vector<double> positions;
        for (std::size_t row = 0; row < searches.size(); ++row) {
            if (searches[row].done) continue;
            rows.push_back(row);
            positions.push_back(searches[row].next());
        }
        if (rows.empty()) break;
        MODELSEAL_TRY_ASSIGN(const auto at, margins(probe, lattice, crossings, rows, positions));
        for (std::size_t i = 0; i < rows.size(); ++i) searches[rows[i]].take(positions[i], at[i]);
    }
    std::vector<Bracket> brackets;
    for (const auto& search : searches) brackets.push_back(search.found());
    return brackets;
}

Result<std::vector<Bracket>> place(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings,
                                   std::span<const Bracket> brackets, std::span<const double> floors) {
    std::vector<SideOfPair> sides;
    for (std::size_t row = 0; row < crossings.size(); ++row) {
        // Positions are in lengths of the path, along which the margin changes by this; it is positive, since
        // member 0 is on the negative side.
        const double slope = crossings[row].margin[1] - crossings[row].margin[0];
        const double root = (brackets[row][0] + brackets[row][1]) / 2;
        for (const double sign : {-1.0, 1.0}) {
            sides.push_back({.row = row, .sign = sign, .root = root});
            sides.back().at = root + sign * std::min(kPlacingAim * floors[row] / slope, kFarthest);
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
        MODELSEAL_TRY_ASSIGN(const auto at, margins(probe, lattice, crossings, rows, positions));
        for (std::size_t i = 0; i < open.size(); ++i) sides[open[i]].take(at[i], floors[rows[i]]);
    }
    std::vector<Bracket> placed(crossings.size());
    for (std::size_t i = 0; i < sides.size(); ++i) {
        placed[sides[i].row][i % 2] = sides[i].place();
    }
    return placed;
}

}  // namespace modelseal::blackbox
