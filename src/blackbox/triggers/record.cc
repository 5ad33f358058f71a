#include "blackbox/triggers/record.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "blackbox/noise.h"
#include "blackbox/triggers/judge.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

Result<void> measure_rungs(Probe& probe, unsigned threads, const std::vector<float>& pixels,
                           std::span<const std::int64_t> labels, Triggers& triggers) {
    MODELSEAL_TRY_ASSIGN(const auto outputs, probe.outputs(pixels));
    const auto spread = spread_of(outputs);
    const auto inputs = noise_inputs(pixels, outputs, labels);
    MODELSEAL_TRY_ASSIGN(const auto tried, try_fp32(probe, inputs, threads));
    const auto fp32 = noise_over(tried, std::vector<double>(labels.size(), 1));
    const auto count = static_cast<unsigned>(triggers.triggers.size());
    const double least = fp32_floor(fp32, spread, count);
    triggers.rungs.push_back({Rung::fp32, fp32.largest, fp32.scale, least, fp32.tried});
    MODELSEAL_TRY_ASSIGN(const auto narrow, try_mixed(probe, inputs));
    if (narrow.empty()) return {};
    const auto mixed = noise_over(narrow, std::vector<double>(labels.size(), 1));
    triggers.rungs.push_back(
        {Rung::mixed, mixed.largest, mixed.scale, mixed_floor(mixed, spread, count, least), mixed.tried});
    return {};
}

// Evaluates the triggers as in a check. True if some were too close to the other classes.
Result<bool> drop_close_ones(Probe& probe, Triggers& triggers) {
    auto& all = triggers.triggers;
    if (all.empty()) return false;
    std::vector<float> pixels;
    std::vector<std::int64_t> labels;
    for (const auto& trigger : all) {
        pixels.insert(pixels.end(), trigger.pixels.begin(), trigger.pixels.end());
        labels.push_back(trigger.label);
    }
    MODELSEAL_TRY_ASSIGN(const auto scored, probe.score(std::move(pixels), boundaries_of_labels(labels)));
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].margin = std::isfinite(scored[i].doubt) ? scored[i].margin : 0;
    }
    const double floor = triggers.rungs.front().floor;
    return std::erase_if(all, [&](const Trigger& one) { return !(one.margin > 0 && one.margin >= floor); }) > 0;
}

// A rung on which nothing counts is none.
void drop_empty_rungs(Triggers& triggers) {
    std::erase_if(triggers.rungs, [&](const RungOfTriggers& rung) {
        return std::ranges::none_of(triggers.triggers,
                                    [&](const Trigger& one) { return one.margin >= rung.floor; });
    });
}

}  // namespace

std::vector<Boundary> boundaries_of_labels(std::span<const std::int64_t> labels) {
    std::vector<Boundary> boundaries;
    for (const auto label : labels) boundaries.push_back({{}, static_cast<std::uint32_t>(label)});
    return boundaries;
}

NoiseInputs noise_inputs(const std::vector<float>& pixels, const Outputs& outputs,
                         std::span<const std::int64_t> labels) {
    NoiseInputs inputs{.pixels = pixels, .boundaries = boundaries_of_labels(labels), .margins = {}};
    for (std::size_t row = 0; row < outputs.count; ++row)
        inputs.margins.push_back(score(outputs, row, inputs.boundaries[row]).margin);
    return inputs;
}

Result<void> record_triggers(Probe& probe, unsigned threads, const std::vector<float>& pixels,
                             std::span<const std::int64_t> labels, Made& made) {
    auto& triggers = made.fingerprint.triggers();
    MODELSEAL_TRY(measure_rungs(probe, threads, pixels, labels, triggers));
    const auto elements = static_cast<std::ptrdiff_t>(probe.elements());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto from = pixels.begin() + static_cast<std::ptrdiff_t>(i) * elements;
        triggers.triggers.push_back({{from, from + elements}, labels[i], 0});
    }
    // Dropping one changes which others share a batch, and so the last bits of their answers.
    for (bool dropped = true; dropped;) {
        MODELSEAL_TRY_ASSIGN(dropped, drop_close_ones(probe, triggers));
    }
    const auto kept = triggers.triggers.size();
    const auto needed = threshold_on(made.fingerprint, triggers.rungs.front()).mismatches;
    const auto counted = util::counted(labels.size(), "trigger");
    if (kept < needed) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: {} of {} reached their class by a margin that honest runtimes agree on; a "
                        "verdict needs {}",
                        probe.network().name(), kept, counted, needed),
            "train the generator for more steps, or make it wider"};
    }
    if (kept < labels.size()) {
        made.notes.push_back(fmt::format(
            "{} of {} reached their class by a margin that honest runtimes agree on", kept, counted));
    }
    drop_empty_rungs(triggers);
    return {};
}

}  // namespace modelseal::blackbox
