#include "blackbox/triggers/payload.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "blackbox/container/payload.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

// Floors are products of measured noise, and were kept as text: rounding.
constexpr double kFloorSlack = 1e-9;

// Gray levels of all triggers, or nullopt if a pixel is not exactly that of a level.
std::optional<std::vector<std::uint8_t>> levels_of(const Fingerprint& whole) {
    if (whole.grid != Grid::u8) return std::nullopt;
    std::vector<std::uint8_t> levels;
    for (const auto& trigger : whole.triggers().triggers) {
        for (const float pixel : trigger.pixels) {
            const double level = std::round((double{pixel} - double{whole.input.low}) / whole.unit);
            if (!(level >= 0 && level <= 255) || pixel_of(whole.input, whole.unit, level) != pixel) {
                return std::nullopt;
            }
            levels.push_back(static_cast<std::uint8_t>(level));
        }
    }
    return levels;
}

std::vector<float> all_pixels(const Triggers& triggers) {
    std::vector<float> pixels;
    for (const auto& one : triggers.triggers) pixels.insert(pixels.end(), one.pixels.begin(), one.pixels.end());
    return pixels;
}

// Row-major, count x elements.
std::vector<float> read_pixels(PayloadReader& payload, const Fingerprint& whole, const Extents& shape) {
    if (!payload.is("pixels", DType::u8)) {
        return payload.take<float, std::uint32_t>("pixels", DType::f32, shape);
    }
    const auto levels = payload.take<std::uint8_t, std::uint8_t>("pixels", DType::u8, shape);
    std::vector<float> pixels;
    pixels.reserve(levels.size());
    for (const auto level : levels) pixels.push_back(pixel_of(whole.input, whole.unit, level));
    return pixels;
}

std::string complaint_about(const Fingerprint& whole, const Trigger& trigger, double floor) {
    if (trigger.pixels.size() != whole.input.shape.elements()) {
        return fmt::format("has {}, but an input has {}", util::counted(trigger.pixels.size(), "element"),
                           whole.input.shape.elements());
    }
    const auto outside = [&](float pixel) { return !(pixel >= whole.input.low && pixel <= whole.input.high); };
    if (std::ranges::any_of(trigger.pixels, outside)) return "has pixels outside the range of the input";
    if (trigger.label < 0 || static_cast<std::uint64_t>(trigger.label) >= whole.classes) {
        return fmt::format("has label {}, but there are {}", trigger.label,
                           util::counted(whole.classes, "class"));
    }
    if (!std::isfinite(trigger.margin) || !(trigger.margin >= floor * (1 - kFloorSlack))) {
        return fmt::format("has a margin of {}, below the floor {}", trigger.margin, floor);
    }
    return {};
}

std::string complaint_about_rungs(const std::vector<RungOfTriggers>& rungs) {
    if (rungs.empty() || rungs.front().rung != Rung::fp32) return "no rung fp32";
    if (rungs.size() > 2 || (rungs.size() == 2 && rungs.back().rung != Rung::mixed)) {
        return "a rung other than fp32 and mixed";
    }
    for (const auto& rung : rungs) {
        for (const double value : {rung.noise, rung.scale, rung.floor}) {
            if (!std::isfinite(value) || value < 0) return "noise, scale or floor is negative or not a number";
        }
        if (!(rung.floor > 0)) return "a rung without a floor";
    }
    return {};
}

}  // namespace

Result<void> write_triggers(const Fingerprint& whole, PayloadWriter& payload) {
    const auto& triggers = whole.triggers();
    payload.fact("schedule", name_of(triggers.schedule));
    payload.number("generator.width", triggers.width);
    payload.fact("generator.arm", name_of(triggers.arm));
    payload.number("generator.steps", triggers.steps);
    for (const auto& rung : triggers.rungs) {
        const std::string name(name_of(rung.rung));
        payload.number(name + ".noise", rung.noise);
        payload.number(name + ".scale", rung.scale);
        payload.number(name + ".floor", rung.floor);
        write_tried(name, rung.tried, payload);
    }
    const auto elements = whole.input.shape.elements();
    const auto levels = levels_of(whole);
    const std::uint64_t each = elements * (levels ? 1 : sizeof(float));
    if (triggers.triggers.size() > kMostPayload / each) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{} of {} exceed the {} of a fingerprint file",
                                 util::counted(triggers.triggers.size(), "trigger"),
                                 util::counted(elements, "element"), util::counted(kMostPayload, "byte")),
                     "make fewer triggers, or make them on a grid"};
    }
    const Extents shape = {triggers.triggers.size(), elements};
    levels ? payload.tensor<std::uint8_t>("pixels", "U8", shape, *levels)
           : payload.tensor<float>("pixels", "F32", shape, all_pixels(triggers));
    std::vector<std::int64_t> label;
    std::vector<double> margin;
    for (const auto& trigger : triggers.triggers) {
        label.push_back(trigger.label);
        margin.push_back(trigger.margin);
    }
    payload.tensor<std::int64_t>("label", "I64", {shape[0]}, label);
    payload.tensor<double>("margin", "F64", {shape[0]}, margin);
    return {};
}

void read_triggers(PayloadReader& payload, Fingerprint& whole) {
    auto& triggers = whole.queries.emplace<Triggers>();
    auto& facts = payload.facts;
    triggers.schedule = facts.word("schedule", schedule_of);
    triggers.width = facts.number<std::uint32_t>("generator.width");
    triggers.arm = facts.word("generator.arm", arm_of);
    triggers.steps = facts.number<std::uint32_t>("generator.steps");
    for (const Rung rung : {Rung::fp32, Rung::mixed}) {
        const std::string name(name_of(rung));
        if (!facts.has(name + ".noise")) continue;
        triggers.rungs.push_back({rung, facts.number<double>(name + ".noise"),
                                  facts.number<double>(name + ".scale"), facts.number<double>(name + ".floor"),
                                  read_tried(name, facts)});
    }
    const auto elements = whole.input.shape.elements();
    const auto count = std::min<std::uint64_t>(payload.rows("pixels"), kMostPairs + 1);
    const auto pixels = read_pixels(payload, whole, {count, elements});
    const auto label = payload.take<std::int64_t, std::uint64_t>("label", DType::i64, {count});
    const auto margin = payload.take<double, std::uint64_t>("margin", DType::f64, {count});
    if (!payload.ok()) return;
    for (std::size_t i = 0; i < count; ++i) {
        const auto from = pixels.begin() + static_cast<std::ptrdiff_t>(i * elements);
        triggers.triggers.push_back(
            {{from, from + static_cast<std::ptrdiff_t>(elements)}, label[i], margin[i]});
    }
}

std::string complaint_about_triggers(const Fingerprint& whole) {
    const auto& triggers = whole.triggers();
    if (triggers.schedule == Schedule::paper) return "the published schedule of pairs";
    const bool generated = triggers.schedule == Schedule::keyed;
    if (triggers.width < (generated ? 1 : 0) || triggers.width > (generated ? kMostWidth : 0)) {
        return fmt::format("a generator of width {}; 1 to {} are possible", triggers.width, kMostWidth);
    }
    if (triggers.steps > kMostSteps) {
        return fmt::format("a generator of {} steps; up to {} are possible", triggers.steps, kMostSteps);
    }
    if (auto wrong = complaint_about_rungs(triggers.rungs); !wrong.empty()) return wrong;
    const auto& all = triggers.triggers;
    if (all.empty() || all.size() > kMostPairs) {
        return fmt::format("{}; 1 to {} are possible", util::counted(all.size(), "trigger"), kMostPairs);
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (const auto wrong = complaint_about(whole, all[i], triggers.rungs.front().floor); !wrong.empty()) {
            return fmt::format("trigger {}: {}", i, wrong);
        }
    }
    return {};
}

}  // namespace modelseal::blackbox
