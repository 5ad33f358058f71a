#include "blackbox/pairs/walk.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "util/text.h"

namespace modelseal::blackbox {
namespace {

constexpr unsigned kMostSteps = 48;  // gradient steps from one start
constexpr double kLongestStep = 4;   // in units; further away, the gradient predicts little
// Starts that are tried for each pair before giving up: so many if none crosses, and more while some do.
constexpr std::size_t kStartsPerPair = 6, kMostStartsPerPair = 48;

// One start under way.
struct Walker {
    std::size_t start = 0;
    std::uint32_t target = 0;
    std::vector<float> at, before;  // in units
    double margin_before = 0;
    bool crossed = false;
};

std::vector<float> pixels_of(const Probe& probe, const Lattice& lattice, std::span<Walker* const> walkers) {
    std::vector<float> pixels;
    pixels.reserve(walkers.size() * probe.elements());
    for (const auto* walker : walkers) {
        for (const float units : walker->at) {
            pixels.push_back(pixel_of(probe.input(), lattice.unit, static_cast<double>(units)));
        }
    }
    return pixels;
}

// How many units bring the margin over 0, if it were linear: moving every element by one unit along the sign of
// the gradient changes it by unit * sum |gradient|, the most that any step of that size can (the dual of the
// largest norm). The 5 % are for the bend: a step that falls just short costs a round, one that goes too far
// costs little, since the root is then searched between both ends of the last step (placing.cc).
double stride(double margin, std::span<const float> gradient, double unit) {
    double slope = 0;
    for (const float one : gradient) slope += static_cast<double>(std::abs(one));
    return slope > 0 ? std::clamp(std::ceil(1.05 * std::abs(margin) / (slope * unit)), 1.0, kLongestStep) : 1;
}

// Down the gradient from the positive side, up from the negative one: a start may be on either. Elements stop
// at the ends of the input's range.
void step(Walker& walker, double margin, std::span<const float> gradient, const Lattice& lattice) {
    const double units =
        margin < 0 ? stride(margin, gradient, lattice.unit) : -stride(margin, gradient, lattice.unit);
    walker.before = walker.at;
    walker.margin_before = margin;
    for (std::size_t i = 0; i < walker.at.size(); ++i) {
        const float sign = gradient[i] > 0 ? 1.0f : gradient[i] < 0 ? -1.0f : 0.0f;
        walker.at[i] = std::clamp(walker.at[i] + sign * static_cast<float>(units), 0.0f,
                                  static_cast<float>(lattice.levels - 1));
    }
}

Crossing crossing_of(Walker& walker, double margin) {
    Crossing crossing{.start = walker.start, .target = walker.target};
    const bool up = margin > 0;  // the last step went from the negative side to the positive one
    crossing.path.base = std::move(up ? walker.before : walker.at);
    crossing.path.direction = std::move(up ? walker.at : walker.before);
    for (std::size_t i = 0; i < crossing.path.base.size(); ++i) {
        crossing.path.direction[i] -= crossing.path.base[i];
    }
    crossing.margin[0] = up ? walker.margin_before : margin;
    crossing.margin[1] = up ? margin : walker.margin_before;
    return crossing;
}

// Walks all of them to the boundary, a batch of those that have not crossed at a time. A walker has crossed
// when two margins in sequence differ in sign; the segment between the last two points is its path, as in the
// paper's stage 2, which keeps the last input before the flip and the first after it (arXiv 2404.07572, section
// III-C). Steps are 2e-3 of the range, about as far as a gradient says where the margin goes, instead of the paper's 1e-6, because the root search, not the step, decides how close
// members come to the boundary.
Result<std::vector<Crossing>> walk(Probe& probe, const Lattice& lattice, std::vector<Walker> walkers) {
    std::vector<Crossing> crossings;
    for (unsigned round = 0; round < kMostSteps; ++round) {
        std::vector<Walker*> active;
        std::vector<Boundary> boundaries;
        for (auto& walker : walkers) {
            if (walker.crossed) continue;
            active.push_back(&walker);
            boundaries.push_back({{}, walker.target});
        }
        if (active.empty()) break;
        MODELSEAL_TRY_ASSIGN(const auto slopes, probe.slopes(pixels_of(probe, lattice, active), boundaries));
        for (std::size_t i = 0; i < active.size(); ++i) {
            auto& walker = *active[i];
            const double margin = slopes.at[i].margin;
            if (!walker.before.empty() && margin * walker.margin_before < 0) {
                walker.crossed = true;
                crossings.push_back(crossing_of(walker, margin));
                continue;
            }
            step(walker, margin, std::span(slopes.gradient).subspan(i * probe.elements(), probe.elements()),
                 lattice);
        }
    }
    return crossings;
}

}  // namespace

Result<std::vector<Crossing>> walk_to_borders(Probe& probe, const Keyed& keyed, const Lattice& lattice,
                                              std::size_t count, Progress& progress) {
    std::vector<Crossing> found;
    std::size_t tried = 0;
    while (found.size() < count && tried < (found.empty() ? kStartsPerPair : kMostStartsPerPair) * count) {
        const auto missing = count - found.size();
        std::vector<Walker> walkers(missing);
        for (auto& walker : walkers) {
            walker.start = tried++;
            walker.at = keyed.picture(walker.start, probe.input().shape.shape, lattice.levels);
            walker.target = keyed.target(walker.start, probe.classes());
        }
        MODELSEAL_TRY_ASSIGN(auto crossings, walk(probe, lattice, std::move(walkers)));
        progress.advance(crossings.size());
        std::ranges::move(crossings, std::back_inserter(found));
    }
    if (found.size() < count) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: only {} of {} starts reach a decision boundary, {} are needed",
                        probe.network().name(), found.size(), tried, util::counted(count, "pair")),
            "the outputs may be saturated: check the range, mean and std of the inputs, or ask for fewer pairs",
            Remedy::review_inputs};
    }
    // Walkers cross in any order; pairs are in that of their keyed starts.
    std::ranges::sort(found, {}, &Crossing::start);
    return found;
}

}  // namespace modelseal::blackbox
