#include "blackbox/pairs/segment.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "blackbox/noise.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

// Elements of inputs at a time: 16 MiB.
constexpr std::size_t kElementsAtATime = 4u << 20;
// Starts that are tried for each crossing before giving up: so many if none serves, and more while some do.
constexpr std::size_t kTries = 6, kMostTries = 48;
// Of the spread of the outputs. Less than this along a path leaves no room for the members of the rung mixed.
constexpr double kLeastRise = 0x1p-8;

// Whole numbers of the lattice, as all of a path; 0 is added since the integers that a container keeps have one zero alone.
std::vector<float> towards(std::span<const float> from, std::span<const float> to, double part) {
    std::vector<float> steps(from.size());
    for (std::size_t i = 0; i < from.size(); ++i)
        steps[i] = static_cast<float>(std::trunc(part * (double{to[i]} - double{from[i]}))) + 0.0f;
    return steps;
}

void reverse(Path& path) {
    for (std::size_t i = 0; i < path.base.size(); ++i) {
        path.base[i] += path.direction[i];
        path.direction[i] = 0.0f - path.direction[i];
    }
}

// The outputs at both ends of every path, first all of position 0.
Result<Outputs> outputs_at_ends(Probe& probe, const Lattice& lattice, std::span<const Crossing> crossings) {
    std::vector<float> pixels;
    for (const double position : {0.0, 1.0}) {
        const std::vector<double> positions(crossings.size(), position);
        const auto some = pixels_at(probe, lattice, crossings, positions);
        pixels.insert(pixels.end(), some.begin(), some.end());
    }
    return probe.outputs(std::move(pixels));
}

// Paths from starts `first`, `first + 1`, ... towards other pictures of their kinds.
std::vector<Crossing> paths_from(const Probe& probe, const Keyed& keyed, const Lattice& lattice,
                                 std::size_t first, std::size_t count, double part) {
    const auto& shape = probe.input().shape.shape;
    std::vector<Crossing> paths(count);
    for (auto& one : paths) {
        one.start = first++;
        one.path.base = keyed.picture(one.start, shape, lattice.levels);
        one.path.direction =
            towards(one.path.base, keyed.other_picture(one.start, shape, lattice.levels), part);
    }
    return paths;
}

std::size_t at_a_time(const Probe& probe, std::size_t wanted) {
    return std::clamp<std::size_t>(kElementsAtATime / probe.elements() / 2, 1, wanted);
}

// Draws paths until enough of them cross.
class LevelSearch {
  public:
    LevelSearch(Probe& probe, const Keyed& keyed, const Lattice& lattice, std::span<const float> scales)
        : probe_(probe), keyed_(keyed), lattice_(lattice), scales_(scales) {}

    Result<void> run(std::size_t count, Progress& progress) {
        while (found_.size() < count && tried_ < (is_hopeless() ? kTries : kMostTries) * count) {
            const auto before = found_.size();
            auto paths =
                paths_from(probe_, keyed_, lattice_, tried_, at_a_time(probe_, count - before), lattice_.part);
            tried_ += paths.size();
            MODELSEAL_TRY(take(std::move(paths)));
            progress.advance(found_.size() - before);
        }
        // The steepest of the others do where nothing better is left.
        std::ranges::sort(flat_, std::ranges::greater(), [](const Crossing& one) { return one.margin[1]; });
        for (auto& one : flat_) {
            if (found_.size() == count) break;
            found_.push_back(std::move(one));
        }
        std::ranges::sort(found_, {}, &Crossing::start);
        return {};
    }

    std::vector<Crossing> found() && { return std::move(found_); }
    std::size_t tried() const { return tried_; }

  private:
    bool is_hopeless() const { return found_.empty() && flat_.empty(); }

    KeyedFunction function_of(std::size_t start) const {
        auto function = keyed_.function(start, probe_.classes());
        for (std::size_t i = 0; i < function.weights.size() && !scales_.empty(); ++i) {
            const float scale = scales_[function.outputs.empty() ? i : function.outputs[i]];
            function.weights[i] = scale > 0 ? function.weights[i] / static_cast<double>(scale) : 0;
        }
        return function;
    }

    Result<void> take(std::vector<Crossing> paths) {
        for (auto& one : paths) {
            auto function = function_of(one.start);
            one.path.weights = std::move(function.weights);
            one.path.outputs = std::move(function.outputs);
        }
        MODELSEAL_TRY_ASSIGN(const auto ends, outputs_at_ends(probe_, lattice_, paths));
        for (std::size_t i = 0; i < paths.size(); ++i) {
            auto& one = paths[i];
            const auto boundary = boundary_of(one);
            const auto from = score(ends, i, boundary), to = score(ends, paths.size() + i, boundary);
            // Of a probability of 0 nothing is known that another runtime would have to repeat.
            if (!std::isfinite(from.doubt) || !std::isfinite(to.doubt) || from.margin == to.margin) continue;
            if (to.margin < from.margin) reverse(one.path);
            one.path.offset = (from.margin + to.margin) / 2;
            one.margin[1] = std::abs(to.margin - from.margin) / 2;
            one.margin[0] = -one.margin[1];
            const bool steep = 2 * one.margin[1] >= kLeastRise * size_of_terms(ends, i, boundary);
            auto& kept = steep ? found_ : flat_;
            kept.push_back(std::move(one));
        }
        return {};
    }

    Probe& probe_;
    const Keyed& keyed_;
    const Lattice& lattice_;
    std::span<const float> scales_;
    std::size_t tried_ = 0;
    std::vector<Crossing> found_, flat_;
};

// Halves a path until it fits bytes, with the ends still on both sides.
constexpr unsigned kHalvings = 3;

Result<void> shorten(Probe& probe, const Lattice& lattice, std::vector<Crossing>& paths) {
    for (unsigned round = 0; round < kHalvings && !paths.empty(); ++round) {
        auto halves = paths;
        for (auto& one : halves) {
            for (auto& step : one.path.direction) step = std::trunc(step / 2) + 0.0f;
        }
        const std::vector<double> ends(paths.size(), 1.0);
        MODELSEAL_TRY_ASSIGN(const auto scored,
                             probe.score(pixels_at(probe, lattice, halves, ends), boundaries_of(halves)));
        for (std::size_t i = 0; i < paths.size(); ++i) {
            auto& path = paths[i].path;
            const auto& half = halves[i].path;
            if (scored[i].margin > 0) {
                path.direction = half.direction;
                paths[i].margin[1] = scored[i].margin;
                continue;
            }
            for (std::size_t at = 0; at < path.base.size(); ++at) {
                path.base[at] += half.direction[at];
                path.direction[at] -= half.direction[at];
            }
            paths[i].margin[0] = scored[i].margin;
        }
    }
    return {};
}

}  // namespace

Result<std::vector<float>> scales_of_outputs(Probe& probe, const Keyed& keyed, const Lattice& lattice) {
    constexpr std::size_t kStarts = 32;
    constexpr double kConstant = 0x1p-20;  // of the mean: no more than rounding
    constexpr float kLeastScale = 1e-6f;   // of the largest
    std::vector<double> sum(probe.classes()), square(probe.classes());
    const auto step = at_a_time(probe, kStarts);
    for (std::size_t first = 0; first < kStarts; first += step) {
        const auto paths =
            paths_from(probe, keyed, lattice, first, std::min(step, kStarts - first), lattice.part);
        const std::vector<double> starts(paths.size(), 0.0);
        MODELSEAL_TRY_ASSIGN(const auto outputs, probe.outputs(pixels_at(probe, lattice, paths, starts)));
        for (std::size_t row = 0; row < outputs.count; ++row) {
            for (std::size_t at = 0; at < outputs.classes; ++at) {
                const auto value = static_cast<double>(outputs.row(row)[at]);
                sum[at] += value;
                square[at] += value * value;
            }
        }
    }
    std::vector<float> scales;
    for (std::size_t at = 0; at < sum.size(); ++at) {
        const double mean = sum[at] / kStarts;
        const double scale = std::sqrt(std::max(0.0, square[at] / kStarts - mean * mean));
        scales.push_back(scale > kConstant * std::abs(mean) ? static_cast<float>(scale) : 0);
    }
    // What hardly varies beside the others would be nothing but noise.
    const float least = kLeastScale * std::ranges::max(scales);
    for (auto& scale : scales) scale = scale > 0 ? std::max(scale, least) : 0;
    return scales;
}

Result<std::vector<Crossing>> find_levels(Probe& probe, const Keyed& keyed, const Lattice& lattice,
                                          std::span<const float> scales, std::size_t count,
                                          Progress& progress) {
    LevelSearch search(probe, keyed, lattice, scales);
    MODELSEAL_TRY(search.run(count, progress));
    const auto tried = search.tried();
    auto found = std::move(search).found();
    if (found.size() == count) return found;
    return Error{
        ErrorKind::unsupported,
        fmt::format("{}: the outputs differ between {} of {} inputs and others near them; {} are needed",
                    probe.network().name(), found.size(), tried, util::counted(count, "pair")),
        "the outputs may be saturated: check the range, mean and std of the inputs, or ask for fewer pairs",
        Remedy::review_inputs};
}

Result<std::vector<Crossing>> find_borders(Probe& probe, const Keyed& keyed, const Lattice& lattice,
                                           std::size_t count, Progress& progress) {
    std::vector<Crossing> found;
    std::size_t tried = 0;
    while (found.size() < count && tried < (found.empty() ? kTries : kMostTries) * count) {
        auto paths = paths_from(probe, keyed, lattice, tried, at_a_time(probe, count - found.size()), 1);
        tried += paths.size();
        MODELSEAL_TRY_ASSIGN(const auto ends, outputs_at_ends(probe, lattice, paths));
        std::vector<Crossing> crossing;
        for (std::size_t i = 0; i < paths.size(); ++i) {
            const auto other = score(ends, paths.size() + i, {}).label;
            paths[i].target = static_cast<std::uint32_t>(other);
            const auto from = score(ends, i, boundary_of(paths[i]));
            const auto to = score(ends, paths.size() + i, boundary_of(paths[i]));
            if (!(from.margin < 0 && to.margin > 0) || !std::isfinite(from.doubt) || !std::isfinite(to.doubt))
                continue;
            paths[i].margin[0] = from.margin;
            paths[i].margin[1] = to.margin;
            crossing.push_back(std::move(paths[i]));
        }
        MODELSEAL_TRY(shorten(probe, lattice, crossing));
        progress.advance(crossing.size());
        std::ranges::move(crossing, std::back_inserter(found));
    }
    if (found.size() == count) return found;
    return Error{ErrorKind::unsupported,
                 fmt::format("{}: {} of {} pairs of inputs have different classes; {} are needed",
                             probe.network().name(), found.size(), tried, util::counted(count, "pair")),
                 "check the range, mean and std of the inputs, or make a fingerprint for output values",
                 Remedy::review_inputs};
}

}  // namespace modelseal::blackbox
