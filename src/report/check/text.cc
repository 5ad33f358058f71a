// Reports for a terminal.
#include "util/text.h"

#include <fmt/format.h>

#include "report/check/document.h"
#include "report/check/seal_section.h"
#include "report/report.h"

namespace modelseal::report {
namespace {

using util::printable;

constexpr std::size_t kTextRows = 10;  // of a list that is cut
constexpr std::string_view kTextIndent = "    ";

std::size_t rows_shown(std::size_t all, const TextStyle& style) {
    return style.all ? all : std::min(all, kTextRows);
}

Table tensor_table(std::span<const TensorFinding* const> tensors, std::size_t columns) {
    using enum Table::Align;
    Table table({left, left, left, right, left});
    table.add({"tensor", "type", "shape", "wrong bits", "changed elements"});
    for (const auto* each : tensors) {
        const auto& tensor = *each;
        const bool unknown = tensor.outcome == TensorFinding::Outcome::missing && tensor.shape.empty();
        table.add({printable(tensor.name), printable(tensor.dtype),
                   unknown ? std::string() : shape_text(tensor.shape),
                   tensor.bit_error_rate ? percent(*tensor.bit_error_rate) : "-", where_text(tensor, columns)});
    }
    return table;
}

std::string tensors_text(std::span<const TensorFinding> tensors, const TextStyle& style) {
    std::vector<const TensorFinding*> listed;
    for (const auto& tensor : tensors) {
        if (style.all || tensor.outcome != TensorFinding::Outcome::intact) listed.push_back(&tensor);
    }
    if (listed.empty()) return {};
    const auto shown = std::span(listed).first(rows_shown(listed.size(), style));
    // The room for the last column follows from the others.
    const auto room = tensor_table(shown, 0).room_for_last(kTextIndent, style);
    auto out = tensor_table(shown, room).text(kTextIndent, style);
    if (shown.size() < listed.size()) out += cut_text(listed.size() - shown.size(), kTextIndent, style);
    return out;
}

std::string file_text(const FileFinding& file, const std::string& target, const TextStyle& style) {
    auto out =
        fmt::format("{}{} {}", kTextIndent, paint(style, Tone::bad, fmt::format("{:10}", word(file.outcome))),
                    printable(file.name.empty() ? target : file.name));
    if (!file.detail.empty()) out += ": " + printable(file.detail);
    out += "\n";
    constexpr std::string_view kDeeper = "      ";
    const auto shown = rows_shown(file.tensors.size(), style);
    for (const auto& tensor : std::span(file.tensors).first(shown))
        out += fmt::format("{}tensor {} {}\n", kDeeper, printable(tensor.name), word(tensor.outcome));
    if (shown < file.tensors.size()) out += cut_text(file.tensors.size() - shown, kDeeper, style);
    return out;
}

std::string files_text(std::span<const FileFinding> files, const std::string& target, const TextStyle& style) {
    std::string out;
    const auto shown = rows_shown(files.size(), style);
    for (const auto& file : files.first(shown)) out += file_text(file, target, style);
    if (shown < files.size()) out += cut_text(files.size() - shown, kTextIndent, style);
    return out;
}

std::string facts_text(const Section& section, const TextStyle& style) {
    std::vector<std::pair<std::string, std::string>> facts;
    for (const auto& row : section.rows) {
        if (row.shown == Row::Shown::on_request)
            facts.emplace_back(printable(row.label), paint(style, row.tone, printable(row.value)));
    }
    return aligned(facts, kTextIndent);
}

std::string section_text(const Section& section, const std::string& target, const TextStyle& style) {
    auto out =
        paint(style, section.tone, fmt::format("{}: {}", printable(target), printable(section.verdict))) + "\n";
    for (const auto& row : section.rows) {
        if (row.shown != Row::Shown::always) continue;
        out +=
            fmt::format("  {}{}\n", row.label.empty() ? "" : printable(row.label) + ": ", printable(row.value));
    }
    out += files_text(section.files, target, style) + tensors_text(section.tensors, style);
    return style.all ? out + facts_text(section, style) : out;
}

}  // namespace

std::string to_text(const CheckReport& report, const TextStyle& style) {
    auto document = document_of(report, style.failures);
    if (style.source == Source::cache && !document.sections.empty())
        document.sections.front().verdict += " (from the cache)";
    std::string out;
    for (const auto& section : document.sections) out += section_text(section, document.target, style);
    if (!document.policy.verdict.empty()) out += section_text(document.policy, document.target, style);
    if (out.empty()) return out;
    for (const auto& warning : document.warnings)
        out += paint(style, Tone::doubtful, "  warning: " + printable(warning)) + "\n";
    if (style.hints == Hints::left_out) return out;
    for (const auto& hint : document.hints) out += "  hint: " + printable(hint) + "\n";
    return out;
}

std::vector<std::string> hints_of(const CheckReport& report, Failures failures) {
    return document_of(report, failures).hints;
}

}  // namespace modelseal::report
