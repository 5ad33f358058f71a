#include "blackbox/pairs/payload.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "blackbox/container/payload.h"
#include "blackbox/pairs/shifts.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

// Margins were kept as double, floors are products of measured noise: the two may differ by rounding.
constexpr double kSlack = 1e-9;
// A path reaches from 0 to 1; members of a wide rung may lie on its continuation.
constexpr double kMostPosition = 64;
constexpr std::uint64_t kMostCovered = 1ull << 40;  // weights of a tensor

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

// Functions of outputs that each path has for itself.
void write_boundaries(const Pairs& pairs, PayloadWriter& payload) {
    std::vector<double> weights, offset, noise;
    std::vector<std::uint32_t> outputs;
    for (const auto& path : pairs.paths) {
        weights.insert(weights.end(), path.weights.begin(), path.weights.end());
        outputs.insert(outputs.end(), path.outputs.begin(), path.outputs.end());
        offset.push_back(path.offset);
        noise.push_back(path.noise);
    }
    const std::uint64_t count = pairs.paths.size();
    payload.tensor<double>("w", "F64", {count, weights.size() / count}, weights);
    if (!outputs.empty())
        payload.tensor<std::uint32_t>("w.outputs", "U32", {count, outputs.size() / count}, outputs);
    payload.tensor<double>("offset", "F64", {count}, offset);
    if (pairs.shifts.counted == 0) return;
    payload.tensor<double>("noise", "F64", {count}, noise);
    payload.numbers("shifts.beyond", pairs.shifts.beyond);
    payload.number("shifts.counted", pairs.shifts.counted);
}

void write_rung(const RungOfPairs& rung, PayloadWriter& payload) {
    std::vector<std::uint32_t> path, target;
    std::vector<double> position, margin, unit;
    std::vector<std::int64_t> label;
    for (const auto& pair : rung.pairs) {
        path.push_back(pair.path);
        unit.push_back(pair.unit);
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
    const bool alike = std::ranges::all_of(unit, [](double one) { return one == 1; });
    if (!alike) payload.tensor<double>(name + ".unit", "F64", {count}, unit);
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

// Texts have one name a line: names are printable.
void write_coverage(const FingerprintSummary::Coverage& coverage, PayloadWriter& payload) {
    std::vector<std::uint64_t> counts;
    std::string names;
    for (const auto& one : coverage.tensors) {
        for (const auto number : {one.weights, one.noticed, one.dead}) counts.push_back(number);
        names += one.name + "\n";
    }
    payload.number("coverage.change", coverage.change);
    payload.tensor<std::uint64_t>("coverage", "U64", {coverage.tensors.size(), 3}, counts);
    payload.tensor<std::uint8_t>("coverage.names", "U8", {names.size()}, names);
}

void read_coverage(PayloadReader& payload, Pairs& pairs) {
    pairs.coverage = FingerprintSummary::Coverage{};
    auto& coverage = *pairs.coverage;
    coverage.change = payload.facts.number<double>("coverage.change");
    const auto rows = payload.rows("coverage");
    const auto counts = payload.take<std::uint64_t, std::uint64_t>("coverage", DType::u64, {rows, 3});
    const auto letters =
        payload.take<char, std::uint8_t>("coverage.names", DType::u8, {payload.rows("coverage.names")});
    if (!payload.ok()) return;
    auto name = letters.begin();
    for (std::size_t i = 0; i < rows; ++i) {
        const auto end = std::find(name, letters.end(), '\n');
        if (end == letters.end()) return payload.fail("'coverage.names' does not have a line for each tensor");
        coverage.tensors.push_back(
            {std::string(name, end), counts[3 * i], counts[3 * i + 1], counts[3 * i + 2]});
        name = end + 1;
        coverage.all.weights += counts[3 * i];
        coverage.all.noticed += counts[3 * i + 1];
        coverage.all.dead += counts[3 * i + 2];
    }
    if (name != letters.end()) payload.fail("'coverage.names' has more lines than there are tensors");
}

void read_boundaries(PayloadReader& payload, Pairs& pairs) {
    const std::uint64_t count = pairs.paths.size();
    const auto shape = payload.shape("w");
    if (shape.size() != 2 || shape[0] != count)
        return payload.fail("tensor 'w' does not have a row for each path");
    const auto weights = payload.take<double, std::uint64_t>("w", DType::f64, shape);
    std::vector<std::uint32_t> outputs;
    if (payload.has("w.outputs"))
        outputs = payload.take<std::uint32_t, std::uint32_t>("w.outputs", DType::u32, shape);
    const auto offset = payload.take<double, std::uint64_t>("offset", DType::f64, {count});
    std::vector<double> noise;
    if (payload.facts.has("shifts.counted")) {
        noise = payload.take<double, std::uint64_t>("noise", DType::f64, {count});
        pairs.shifts.beyond = payload.facts.numbers<std::uint64_t>("shifts.beyond", kShiftLevels.size());
        pairs.shifts.counted = payload.facts.number<std::uint64_t>("shifts.counted");
    }
    if (!payload.ok()) return;
    for (std::size_t i = 0; i < count; ++i) {
        auto& path = pairs.paths[i];
        const auto row = [&](const auto& values) {
            const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i * shape[1]);
            return std::vector(begin, begin + static_cast<std::ptrdiff_t>(shape[1]));
        };
        path.weights = row(weights);
        if (!outputs.empty()) path.outputs = row(outputs);
        path.offset = offset[i];
        if (!noise.empty()) path.noise = noise[i];
    }
}

void read_rung_of_pairs(PayloadReader& payload, RungOfPairs& rung) {
    const std::string name(name_of(rung.rung));
    const auto count = std::min<std::uint64_t>(payload.rows(name + ".path"), kMostPairs + 1);
    const auto path = payload.take<std::uint32_t, std::uint32_t>(name + ".path", DType::u32, {count});
    const auto target = payload.take<std::uint32_t, std::uint32_t>(name + ".target", DType::u32, {count});
    const auto position = payload.take<double, std::uint64_t>(name + ".position", DType::f64, {count, 2});
    const auto margin = payload.take<double, std::uint64_t>(name + ".margin", DType::f64, {count, 2});
    const auto label = payload.take<std::int64_t, std::uint64_t>(name + ".label", DType::i64, {count, 2});
    std::vector<double> unit(count, 1);
    if (payload.has(name + ".unit"))
        unit = payload.take<double, std::uint64_t>(name + ".unit", DType::f64, {count});
    if (!payload.ok()) return;
    for (std::size_t i = 0; i < count; ++i) {
        Pair pair{.path = path[i], .target = target[i], .unit = unit[i]};
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
    if (!std::isfinite(pair.unit) || pair.unit <= 0) return fmt::format("its unit is {}", pair.unit);
    for (const int which : {0, 1}) {
        const auto& member = pair.member[which];
        if (!(std::abs(member.position) <= kMostPosition)) {
            return fmt::format("member {} has position {}, outside [{}, {}]", which, member.position,
                               -kMostPosition, kMostPosition);
        }
        const double inside = which == 0 ? -member.margin : member.margin;
        const double floor = rung.floor * pair.unit;
        if (!std::isfinite(member.margin) || !(inside >= floor * (1 - kSlack))) {
            return fmt::format("member {} has a margin of {}, below the floor {}", which, member.margin, floor);
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

// Functions of outputs: of all paths together, or of each.
std::string complaint_about_functions(const Fingerprint& whole) {
    const auto& pairs = whole.pairs();
    const auto finite = [](std::span<const double> values) {
        return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
    };
    const bool each = !pairs.paths.front().weights.empty();
    const auto weights = whole.access == Access::label || each ? 0 : whole.classes;
    if (pairs.direction.size() != weights) {
        return fmt::format("a direction of {}, {} are needed", util::counted(pairs.direction.size(), "value"),
                           weights);
    }
    if (!finite(pairs.direction)) return "the direction has values that are not finite";
    for (std::size_t i = 0; i < pairs.paths.size() && each; ++i) {
        const auto& path = pairs.paths[i];
        if (path.outputs.empty() ? path.weights.size() != whole.classes
                                 : path.outputs.size() != path.weights.size())
            return fmt::format("path {} has weights of {}", i, util::counted(path.weights.size(), "output"));
        const bool ascending =
            std::ranges::adjacent_find(path.outputs, std::ranges::greater_equal()) == path.outputs.end();
        if (!ascending || (!path.outputs.empty() && path.outputs.back() >= whole.classes))
            return fmt::format("path {} has outputs that are not in order, or do not exist", i);
        if (!finite(path.weights) || !std::isfinite(path.offset))
            return fmt::format("path {} has weights that are not finite", i);
        if (!std::isfinite(path.noise) || path.noise < 0)
            return fmt::format("path {} has a noise of {}", i, path.noise);
    }
    const auto& shifts = pairs.shifts;
    const bool counts = std::ranges::is_sorted(shifts.beyond, std::ranges::greater()) &&
                        (shifts.beyond.empty() || shifts.beyond.front() <= shifts.counted);
    if (pairs.coverage) {
        for (const auto& one : pairs.coverage->tensors) {
            if (one.noticed > one.weights || one.dead > one.weights - one.noticed ||
                one.weights > kMostCovered || util::printable(one.name) != one.name)
                return "the coverage of a tensor is not that of its weights";
        }
    }
    if (shifts.counted > 0 && (!each || shifts.beyond.size() != kShiftLevels.size() || !counts))
        return "the counts of shifts do not fit each other";
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
        write_tried(name, rung.tried, payload);
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
    if (!pairs.paths.front().weights.empty()) write_boundaries(pairs, payload);
    if (pairs.coverage) write_coverage(*pairs.coverage, payload);
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
                               .drift = facts.number<double>(name + ".drift"),
                               .tried = read_tried(name, facts)});
    }
    read_paths(payload, whole);
    if (payload.has("offset"))
        read_boundaries(payload, pairs);
    else if (payload.has("w"))
        pairs.direction = payload.take<double, std::uint64_t>("w", DType::f64, {payload.rows("w")});
    for (auto& rung : pairs.rungs) read_rung_of_pairs(payload, rung);
    if (payload.facts.has("coverage.change")) read_coverage(payload, pairs);
}

std::string complaint_about_pairs(const Fingerprint& whole) {
    const auto& pairs = whole.pairs();
    if (pairs.schedule != Schedule::keyed && pairs.schedule != Schedule::paper)
        return "a schedule of single inputs";
    if (auto wrong = complaint_about_paths(whole); !wrong.empty()) return wrong;
    if (auto wrong = complaint_about_functions(whole); !wrong.empty()) return wrong;
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
