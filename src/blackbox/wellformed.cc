#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "blackbox/payload.h"
#include "util/checked.h"
#include "util/text.h"

namespace modelseal::blackbox {
namespace {

// Margins were kept as double, floors are products of measured noise: the two may differ by rounding.
constexpr double kSlack = 1e-9;
// A path reaches from 0 to 1; members of a wide rung may lie on its continuation.
constexpr double kMostPosition = 64;

bool all_finite(std::span<const float> values) {
    return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

bool is_root(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_text(std::string_view text) {
    return text.size() <= kMostText && util::printable(text) == text;
}

std::string complaint(const Input& input) {
    const auto& shape = input.shape.shape;
    if (!is_text(input.shape.name)) return "the input's name is too long or not text";
    if (shape.empty() || shape.size() > 8) return "the input's shape does not have 1 to 8 dimensions";
    std::uint64_t elements = 1;
    for (const auto extent : shape) {
        if (extent < 1 || !util::checked_mul(elements, static_cast<std::uint64_t>(extent), elements) ||
            elements > kMostElements) {
            return fmt::format("the input's shape has an extent below 1, or more than {}",
                               util::counted(kMostElements, "element"));
        }
    }
    if (!std::isfinite(input.low) || !std::isfinite(input.high) || input.low >= input.high) {
        return "the input's range is not two numbers in ascending order";
    }
    for (const auto* values : {&input.mean, &input.std}) {
        const bool fits =
            values->empty() || values->size() == 1 || values->size() == static_cast<std::size_t>(shape.front());
        if (!fits || !all_finite(*values)) {
            return "mean or std is not one finite number or one per channel";
        }
    }
    if (std::ranges::any_of(input.std, [](float value) { return value <= 0; })) return "std is not positive";
    return {};
}

std::string complaint(const Fingerprint& whole, const RungOfPairs& rung, const Pair& pair) {
    if (pair.path >= whole.paths.size()) {
        return fmt::format("path {} does not exist, there are {}", pair.path, whole.paths.size());
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

std::string complaint(const Fingerprint& whole, const RungOfPairs& rung) {
    for (const double value : {rung.noise, rung.scale, rung.floor, rung.drift}) {
        if (!std::isfinite(value) || value < 0)
            return "noise, scale, floor or drift is negative or not a number";
    }
    if (rung.pairs.empty() || rung.pairs.size() > kMostPairs) {
        return fmt::format("{}; 1 to {} are possible", util::counted(rung.pairs.size(), "pair"), kMostPairs);
    }
    for (std::size_t i = 0; i < rung.pairs.size(); ++i) {
        if (const auto wrong = complaint(whole, rung, rung.pairs[i]); !wrong.empty()) {
            return fmt::format("pair {}: {}", i, wrong);
        }
    }
    return {};
}

std::string complaint_about_paths(const Fingerprint& whole) {
    const auto elements = whole.input.shape.elements();
    if (whole.paths.empty()) return "no paths";
    for (std::size_t i = 0; i < whole.paths.size(); ++i) {
        const auto& path = whole.paths[i];
        if (path.base.size() != elements || path.direction.size() != elements) {
            return fmt::format("path {} has {} and {}, but an input has {}", i, path.base.size(),
                               util::counted(path.direction.size(), "element"), elements);
        }
        if (!all_finite(path.base) || !all_finite(path.direction)) {
            return fmt::format("path {} has elements that are not finite", i);
        }
    }
    return {};
}

}  // namespace

std::string complaint(const Fingerprint& whole) {
    if (!is_root(whole.root)) return "the root is not 64 hexadecimal digits";
    for (const auto* text : {&whole.customer, &whole.model, &whole.runtime}) {
        if (!is_text(*text)) return "a name is too long or not text";
    }
    if (auto wrong = complaint(whole.input); !wrong.empty()) return wrong;
    if (!std::isfinite(whole.unit) || whole.unit <= 0) return "the unit is not a positive number";
    if (whole.classes < 2 || whole.classes > kMostClasses) {
        return fmt::format("{}; 2 to {} are possible", util::counted(whole.classes, "class"), kMostClasses);
    }
    if (whole.batch < 1 || whole.batch > kMostBatch) {
        return fmt::format("a batch of {}; 1 to {} are possible", whole.batch, kMostBatch);
    }
    const auto weights = whole.access == Access::label ? 0 : whole.classes;
    if (whole.direction.size() != weights) {
        return fmt::format("a direction of {}, {} are needed", util::counted(whole.direction.size(), "value"),
                           weights);
    }
    if (!std::ranges::all_of(whole.direction, [](double value) { return std::isfinite(value); })) {
        return "the direction has values that are not finite";
    }
    if (auto wrong = complaint_about_paths(whole); !wrong.empty()) return wrong;
    if (whole.rungs.empty()) return "no rungs";
    for (std::size_t i = 0; i < whole.rungs.size(); ++i) {
        if (i > 0 && whole.rungs[i].rung <= whole.rungs[i - 1].rung)
            return "rungs are not in order, or one appears twice";
        if (const auto wrong = complaint(whole, whole.rungs[i]); !wrong.empty()) {
            return fmt::format("rung {}: {}", name_of(whole.rungs[i].rung), wrong);
        }
    }
    return {};
}

}  // namespace modelseal::blackbox
