#include "blackbox/pairs/payload.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "blackbox/container/payload.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

// Margins were kept as double, floors are products of measured noise: the two may differ by rounding.
constexpr double kSlack = 1e-9;
// A path reaches from 0 to 1; members of a wide rung may lie on its continuation.
constexpr double kMostPosition = 64;

bool all_finite_numbers(std::span<const float> values) {
    return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

bool all_whole(const std::vector<Path>& paths, std::vector<float> Path::*part, float low, float high) {
    return std::ranges::all_of(paths, [&](const Path& path) {
        return std::ranges::all_of(path.*part, [&](float value) {
            // A negative zero would not round-trip as an integer.
            return value >= low && value <= high && value == std::trunc(value) &&
                   !(value == 0 && std::signbit(value));
        });
    });
}

std::vector<float> joined(const std::vector<Path>& paths, std::vector<float> Path::*part) {
    std::vector<float> values;
    values.reserve(paths.size() * (paths.front().*part).size());
    for (const auto& path : paths) values.insert(values.end(), (path.*part).begin(), (path.*part).end());
    return values;
}

struct PathTypes {
    bool short_base, short_direction;
    std::uint64_t element_bytes() const { return (short_base ? 2u : 4u) + (short_direction ? 1u : 4u); }
};

void write_paths(const Fingerprint& whole, PathTypes types, PayloadWriter& payload) {
    const auto& paths = whole.pairs().paths;
    const Extents shape = {paths.size(), whole.input.shape.elements()};
    const auto base = joined(paths, &Path::base);
    types.short_base ? payload.tensor<std::uint16_t>("base", "U16", shape, base)
                     : payload.tensor<float>("base", "F32", shape, base);
    const auto direction = joined(paths, &Path::direction);
    types.short_direction ? payload.tensor<std::int8_t>("direction", "I8", shape, direction)
                          : payload.tensor<float>("direction", "F32", shape, direction);
}

void write_rung(const RungOfPairs& rung, PayloadWriter& payload) {
    std::vector<std::uint32_t> path, target;
    std::vector<double> position, margin;
    std::vector<std::int64_t> label;
    for (const auto& pair : rung.pairs) {
        path.push_back(pair.path);
        target.push_back(pair.target);
        for (const auto& member : pair.member) {
            position.push_back(member.position);
            margin.push_back(member.margin);
            label.push_back(member.label);
        }
    }
    const std::string name(name_of(rung.rung));
    const std::uint64_t count = rung.pairs.size();
    payload.tensor<std::uint32_t>(name + ".path", "U32", {count}, path);
    payload.tensor<std::uint32_t>(name + ".target", "U32", {count}, target);
    payload.tensor<double>(name + ".position", "F64", {count, 2}, position);
    payload.tensor<double>(name + ".margin", "F64", {count, 2}, margin);
    payload.tensor<std::int64_t>(name + ".label", "I64", {count, 2}, label);
}

void read_paths(PayloadReader& payload, Fingerprint& whole) {
    const auto shape = payload.shape("base");
    if (shape.size() != 2 || shape[1] != whole.input.shape.elements()) {
        return payload.fail("tensor 'base' does not contain inputs of the stated shape");
    }
    const auto base = payload.take_numbers<std::uint16_t, std::uint16_t>("base", DType::u16, shape);
    const auto direction = payload.take_numbers<std::int8_t, std::uint8_t>("direction", DType::i8, shape);
    if (!payload.ok()) return;
    const auto row = [&](const std::vector<float>& values, std::size_t i) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i * shape[1]);
        return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(shape[1]));
    };
    for (std::size_t i = 0; i < shape[0]; ++i) whole.pairs().paths.push_back({row(base, i), row(direction, i)});
}

void read_rung_of_pairs(PayloadReader& payload, RungOfPairs& rung) {
    const std::string name(name_of(rung.rung));
    const auto count = std::min<std::uint64_t>(payload.rows(name + ".path"), kMostPairs + 1);
    const auto path = payload.take<std::uint32_t, std::uint32_t>(name + ".path", DType::u32, {count});
    const auto target = payload.take<std::uint32_t, std::uint32_t>(name + ".target", DType::u32, {count});
    const auto position = payload.take<double, std::uint64_t>(name + ".position", DType::f64, {count, 2});
    const auto margin = payload.take<double, std::uint64_t>(name + ".margin", DType::f64, {count, 2});
    const auto label = payload.take<std::int64_t, std::uint64_t>(name + ".label", DType::i64, {count, 2});
    if (!payload.ok()) return;
    for (std::size_t i = 0; i < count; ++i) {
        Pair pair{.path = path[i], .target = target[i]};
        for (std::size_t which = 0; which < 2; ++which) {
            pair.member[which] = {position[2 * i + which], margin[2 * i + which], label[2 * i + which]};
        }
        rung.pairs.push_back(pair);
    }
}

std::string complaint_about(const Fingerprint& whole, const RungOfPairs& rung, const Pair& pair) {
    if (pair.path >= whole.pairs().paths.size()) {
        return fmt::format("path {} does not exist, there are {}", pair.path, whole.pairs().paths.size());
    }
    if (pair.target >= whole.classes)
        return fmt::format("target {} does not exist, there are {}", pair.target,
                           util::counted(whole.classes, "class"));
    for (const int which : {0, 1}) {
        const auto& member = pair.member[which];
        if (!(std::abs(member.position) <= kMostPosition)) {
            return fmt::format("member {} has position {}, outside [{}, {}]", which, member.position,
                               -kMostPosition, kMostPosition);
        }
        const double inside = which == 0 ? -member.margin : member.margin;
        if (!std::isfinite(member.margin) || !(inside >= rung.floor * (1 - kSlack))) {
            return fmt::format("member {} has a margin of {}, below the floor {}", which, member.margin,
                               rung.floor);
        }
        if (member.label < 0 || static_cast<std::uint64_t>(member.label) >= whole.classes) {
            return fmt::format("member {} has label {}, but there are {}", which, member.label,
                               util::counted(whole.classes, "class"));
        }
    }
    return {};
}

std::string complaint_about(const Fingerprint& whole, const RungOfPairs& rung) {
    for (const double value : {rung.noise, rung.scale, rung.floor, rung.drift}) {
        if (!std::isfinite(value) || value < 0)
            return "noise, scale, floor or drift is negative or not a number";
    }
    if (rung.pairs.empty() || rung.pairs.size() > kMostPairs) {
        return fmt::format("{}; 1 to {} are possible", util::counted(rung.pairs.size(), "pair"), kMostPairs);
    }
    for (std::size_t i = 0; i < rung.pairs.size(); ++i) {
        if (const auto wrong = complaint_about(whole, rung, rung.pairs[i]); !wrong.empty()) {
            return fmt::format("pair {}: {}", i, wrong);
        }
    }
    return {};
}

std::string complaint_about_paths(const Fingerprint& whole) {
    const auto elements = whole.input.shape.elements();
    if (whole.pairs().paths.empty()) return "no paths";
    for (std::size_t i = 0; i < whole.pairs().paths.size(); ++i) {
        const auto& path = whole.pairs().paths[i];
        if (path.base.size() != elements || path.direction.size() != elements) {
            return fmt::format("path {} has {} and {}, but an input has {}", i, path.base.size(),
                               util::counted(path.direction.size(), "element"), elements);
        }
        if (!all_finite_numbers(path.base) || !all_finite_numbers(path.direction)) {
            return fmt::format("path {} has elements that are not finite", i);
        }
    }
    return {};
}

}  // namespace

Result<void> write_pairs(const Fingerprint& whole, PayloadWriter& payload) {
    const auto& pairs = whole.pairs();
    payload.fact("schedule", name_of(pairs.schedule));
    for (const auto& rung : pairs.rungs) {
        const std::string name(name_of(rung.rung));
        payload.number(name + ".noise", rung.noise);
        payload.number(name + ".scale", rung.scale);
        payload.number(name + ".floor", rung.floor);
        payload.number(name + ".drift", rung.drift);
    }
    const PathTypes types = {all_whole(pairs.paths, &Path::base, 0, 65535),
                             all_whole(pairs.paths, &Path::direction, -128, 127)};
    const auto elements = whole.input.shape.elements();
    if (pairs.paths.size() > kMostPayload / (elements * types.element_bytes())) {
        return Error{ErrorKind::unsupported,
                     fmt::format("{} paths of {} exceed the {} of a fingerprint file", pairs.paths.size(),
                                 util::counted(elements, "element"), util::counted(kMostPayload, "byte")),
                     "make fewer pairs"};
    }
    write_paths(whole, types, payload);
    if (!pairs.direction.empty()) payload.tensor<double>("w", "F64", {pairs.direction.size()}, pairs.direction);
    for (const auto& rung : pairs.rungs) write_rung(rung, payload);
    return {};
}

void read_pairs(PayloadReader& payload, Fingerprint& whole) {
    auto& pairs = whole.queries.emplace<Pairs>();
    auto& facts = payload.facts;
    pairs.schedule = facts.word("schedule", schedule_of);
    for (const Rung rung : {Rung::exact, Rung::fp32, Rung::mixed}) {
        const std::string name(name_of(rung));
        if (!facts.has(name + ".noise")) continue;
        pairs.rungs.push_back({.rung = rung,
                               .noise = facts.number<double>(name + ".noise"),
                               .scale = facts.number<double>(name + ".scale"),
                               .floor = facts.number<double>(name + ".floor"),
                               .drift = facts.number<double>(name + ".drift")});
    }
    read_paths(payload, whole);
    if (payload.has("w"))
        pairs.direction = payload.take<double, std::uint64_t>("w", DType::f64, {payload.rows("w")});
    for (auto& rung : pairs.rungs) read_rung_of_pairs(payload, rung);
}

std::string complaint_about_pairs(const Fingerprint& whole) {
    const auto& pairs = whole.pairs();
    if (pairs.schedule != Schedule::keyed && pairs.schedule != Schedule::paper)
        return "a schedule of single inputs";
    const auto weights = whole.access == Access::label ? 0 : whole.classes;
    if (pairs.direction.size() != weights) {
        return fmt::format("a direction of {}, {} are needed", util::counted(pairs.direction.size(), "value"),
                           weights);
    }
    if (!std::ranges::all_of(pairs.direction, [](double value) { return std::isfinite(value); })) {
        return "the direction has values that are not finite";
    }
    if (auto wrong = complaint_about_paths(whole); !wrong.empty()) return wrong;
    if (pairs.rungs.empty()) return "no rungs";
    for (std::size_t i = 0; i < pairs.rungs.size(); ++i) {
        if (i > 0 && pairs.rungs[i].rung <= pairs.rungs[i - 1].rung)
            return "rungs are not in order, or one appears twice";
        if (const auto wrong = complaint_about(whole, pairs.rungs[i]); !wrong.empty()) {
            return fmt::format("rung {}: {}", name_of(pairs.rungs[i].rung), wrong);
        }
    }
    return {};
}

}  // namespace modelseal::blackbox
