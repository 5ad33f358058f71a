#include "report/comparison.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/check/json.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kRows = 20;  // of a list that is cut

std::string_view outcome_of(const TensorDifference& tensor) {
    if (!tensor.b) return "only-in-a";
    if (!tensor.a) return "only-in-b";
    if (tensor.a->shape != tensor.b->shape) return "reshaped";
    if (tensor.a->dtype != tensor.b->dtype) return "retyped";
    return tensor.differing > 0 ? "changed" : "renamed";
}

std::string both(const TensorDifference& tensor, std::string (*text)(const TensorDifference::Side&)) {
    if (!tensor.a || !tensor.b) return text(tensor.a ? *tensor.a : *tensor.b);
    const auto a = text(*tensor.a), b = text(*tensor.b);
    return a == b ? a : fmt::format("{} -> {}", a, b);
}

std::string differing_text(const TensorDifference& tensor) {
    if (!tensor.b) return "only in A";
    if (!tensor.a) return "only in B";
    if (!tensor.compared) return "not comparable";
    if (tensor.differing == 0) return "same values";
    const auto share = static_cast<double>(tensor.differing) / static_cast<double>(tensor.elements);
    return fmt::format("{} of {} ({})", grouped(tensor.differing), grouped(tensor.elements), percent(share));
}

std::string number(const std::optional<double>& value) {
    return value ? fmt::format("{:.2e}", *value) : std::string();
}

std::string ranges_of(const TensorDifference& tensor, std::size_t columns) {
    auto text = ranges_text(tensor.ranges, columns);
    if (tensor.ranges_total > tensor.ranges.size() && text.find(" and ") == std::string::npos) {
        text += fmt::format(" and {} more", grouped(tensor.ranges_total - tensor.ranges.size()));
    }
    if (tensor.non_finite > 0) text += fmt::format(" ({} not finite)", grouped(tensor.non_finite));
    return text;
}

// What is in both first: it is what one looks for.
std::vector<const TensorDifference*> listed(const Comparison& comparison) {
    std::vector<const TensorDifference*> list;
    for (const auto& tensor : comparison.tensors) list.push_back(&tensor);
    std::stable_partition(list.begin(), list.end(),
                          [](const TensorDifference* tensor) { return tensor->a && tensor->b; });
    return list;
}

Table table_of(std::span<const TensorDifference* const> tensors, std::size_t columns) {
    using enum Table::Align;
    Table table({left, left, left, right, right, right, right, right, left});
    table.add({"tensor", "type", "shape", "differing", "max abs", "mean abs", "rel. L2", "max ulp", "where"});
    for (const auto* entry : tensors) {
        const auto& tensor = *entry;
        table.add({tensor.name_b
                       ? fmt::format("{} -> {}", util::printable(tensor.name), util::printable(*tensor.name_b))
                       : util::printable(tensor.name),
                   both(tensor, [](const TensorDifference::Side& side) { return util::printable(side.dtype); }),
                   both(tensor, [](const TensorDifference::Side& side) { return shape_text(side.shape); }),
                   differing_text(tensor), number(tensor.max_abs), number(tensor.mean_abs),
                   number(tensor.relative_l2), tensor.max_ulp ? grouped(*tensor.max_ulp) : std::string(),
                   ranges_of(tensor, columns)});
    }
    return table;
}

std::string frames_text(const Comparison& comparison) {
    switch (comparison.frame) {
        case Comparison::Frame::same:
            return "frame the same";
        case Comparison::Frame::differs:
            return "frame differs";
        case Comparison::Frame::not_compared:
            break;
    }
    if (comparison.a.format == comparison.b.format) return "frames not compared: other files";
    return fmt::format("frames not compared: {} and {}", util::printable(comparison.a.format),
                       util::printable(comparison.b.format));
}

std::string_view outcome_word(Comparison::File::Outcome outcome) {
    switch (outcome) {
        case Comparison::File::Outcome::changed:
            return "changed";
        case Comparison::File::Outcome::only_in_a:
            return "only-in-a";
        case Comparison::File::Outcome::only_in_b:
            return "only-in-b";
    }
    return "";
}

// A single file was named in the headline.
std::string changed_files_text(const Comparison& comparison, const TextStyle& style) {
    std::string out;
    const auto shown = std::min(comparison.files.size(), kRows);
    for (const auto& file : std::span(comparison.files).first(shown)) {
        if (!file.name.empty())
            out += fmt::format("    frame of {}: {}\n", util::printable(file.name), outcome_word(file.outcome));
    }
    if (const auto more = comparison.files.size() - shown; more != 0) out += cut_text(more, "    ", style);
    return out;
}

std::string headline(const Comparison& comparison) {
    const auto names =
        fmt::format("{} and {}", util::printable(comparison.a.path), util::printable(comparison.b.path));
    if (comparison.same()) {
        const auto renamed = comparison.tensors_renamed == 0 ? std::string()
                                                             : fmt::format(", {} matched under another name",
                                                                           grouped(comparison.tensors_renamed));
        return fmt::format("{}: the same, {} ({}){}, {}", names, counted(comparison.tensors_compared, "tensor"),
                           counted(comparison.elements_compared, "element"), renamed, frames_text(comparison));
    }
    std::uint64_t only_a = 0, only_b = 0;
    for (const auto& tensor : comparison.tensors) {
        only_a += !tensor.b;
        only_b += !tensor.a;
    }
    if (comparison.tensors_compared == 0 && only_a + only_b > 0) {
        return fmt::format("{}: no tensor in common, {} only in A, {} only in B", names, grouped(only_a),
                           grouped(only_b));
    }
    auto line = fmt::format("{}: {} of {} differ", names, grouped(comparison.tensors.size() - only_a - only_b),
                            counted(comparison.tensors_compared, "shared tensor"));
    if (only_a > 0) line += fmt::format(", {} only in A", grouped(only_a));
    if (only_b > 0) line += fmt::format(", {} only in B", grouped(only_b));
    return line + ", " + frames_text(comparison);
}

ordered_json side_json(const std::optional<TensorDifference::Side>& side) {
    if (!side) return nullptr;
    return {{"dtype", json_text(side->dtype)}, {"shape", side->shape}};
}

template <class T>
ordered_json optional_json(const std::optional<T>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json tensor_json(const TensorDifference& tensor) {
    ordered_json out;
    out["name"] = json_text(tensor.name);
    if (tensor.name_b) out["name_b"] = json_text(*tensor.name_b);
    out["outcome"] = outcome_of(tensor);
    out["a"] = side_json(tensor.a);
    out["b"] = side_json(tensor.b);
    if (!tensor.compared) return out;
    auto ranges = ordered_json::array();
    for (const auto& range : tensor.ranges) ranges.push_back({{"first", range.first}, {"count", range.count}});
    out["elements"] = tensor.elements;
    out["differing"] = tensor.differing;
    out["non_finite"] = tensor.non_finite;
    out["max_abs"] = optional_json(tensor.max_abs);
    out["mean_abs"] = optional_json(tensor.mean_abs);
    out["max_ulp"] = optional_json(tensor.max_ulp);
    out["relative_l2"] = optional_json(tensor.relative_l2);
    out["ranges"] = tensor.ranges_total;
    out["first_ranges"] = std::move(ranges);
    return out;
}

ordered_json model_json(const Comparison::Side& side) {
    return {{"path", json_text(side.path)}, {"format", json_text(side.format)}, {"tensors", side.tensors}};
}

}  // namespace

std::string to_text(const Comparison& comparison, const TextStyle& style) {
    constexpr std::string_view kIndent = "    ";
    auto out = paint(style, comparison.same() ? Tone::good : Tone::bad, headline(comparison)) + "\n";
    out += changed_files_text(comparison, style);
    if (comparison.tensors.empty()) return out;
    const auto total = comparison.tensors.size();
    const auto shown = style.all ? total : std::min(total, kRows);
    const auto list = listed(comparison);
    const auto rows = std::span(list).first(shown);
    const auto room = table_of(rows, 0).room_for_last(kIndent, style);
    out += table_of(rows, room).text(kIndent, style);
    if (shown < total) out += cut_text(total - shown, kIndent, style);
    return out;
}

std::string to_json(const Comparison& comparison) {
    ordered_json out;
    out["schema"] = "modelseal-diff/1";
    out["same"] = comparison.same();
    out["a"] = model_json(comparison.a);
    out["b"] = model_json(comparison.b);
    out["frame"] = comparison.frame == Comparison::Frame::same      ? "same"
                   : comparison.frame == Comparison::Frame::differs ? "differs"
                                                                    : "not-compared";
    out["files"] = ordered_json::array();
    for (const auto& file : comparison.files)
        out["files"].push_back({{"name", json_text(file.name)}, {"outcome", outcome_word(file.outcome)}});
    out["tensors_compared"] = comparison.tensors_compared;
    out["tensors_renamed"] = comparison.tensors_renamed;
    out["elements_compared"] = comparison.elements_compared;
    out["tensors"] = ordered_json::array();
    for (const auto& tensor : comparison.tensors) out["tensors"].push_back(tensor_json(tensor));
    return dumped(out);
}

}  // namespace modelseal::report
