#include "util/text.h"

#include <fmt/format.h>

#include "policy/decide.h"
#include "report/fingerprint_words.h"
#include "report/report.h"
#include "report/signature_words.h"
#include "report/words.h"

namespace modelseal {
namespace {

using report::Ink;
using report::paint;

constexpr std::size_t kTextRows = 10;  // of a list that is cut
constexpr std::string_view kCut = "use --all or --json";

// What is left of a message that begins with the name of the file that the line already names.
std::string without_name(const std::string& message, const std::string& name) {
    const auto prefix = name + ": ";
    return util::printable(message.starts_with(prefix) ? std::string_view(message).substr(prefix.size())
                                                       : message);
}

std::string where_text(const TensorFinding& tensor, std::size_t columns) {
    if (tensor.outcome != TensorFinding::Outcome::changed) return std::string(report::word(tensor.outcome));
    const auto ranges = report::joined(tensor.changed);
    if (ranges.empty()) return "somewhere in it";
    if (ranges.size() == 1 && ranges[0].first == 0 && ranges[0].count == report::elements_of(tensor.shape)) {
        return fmt::format("all {}", report::grouped(ranges[0].count));
    }
    return report::ranges_text(ranges, columns);
}

std::vector<const TensorFinding*> listed_tensors(const SealFinding& seal, bool all) {
    std::vector<const TensorFinding*> listed;
    for (const auto& tensor : seal.tensors) {
        if (all || tensor.outcome != TensorFinding::Outcome::intact) listed.push_back(&tensor);
    }
    return listed;
}

std::string tensor_table(const SealFinding& seal, const TextStyle& style) {
    constexpr std::string_view kTextIndent = "    ";
    const auto listed = listed_tensors(seal, style.all);
    if (listed.empty()) return {};
    const auto shown = style.all ? listed.size() : std::min(listed.size(), kTextRows);
    using enum report::Table::Align;
    const auto fill = [&](std::size_t columns) {
        report::Table table({left, left, left, right, left});
        table.add({"tensor", "type", "shape", "wrong bits", "changed elements"});
        for (std::size_t i = 0; i < shown; ++i) {
            const auto& tensor = *listed[i];
            table.add({util::printable(tensor.name), util::printable(tensor.dtype),
                       tensor.outcome == TensorFinding::Outcome::missing && tensor.shape.empty()
                           ? std::string()
                           : report::shape_text(tensor.shape),
                       tensor.bit_error_rate ? report::percent(*tensor.bit_error_rate) : "-",
                       where_text(tensor, columns)});
        }
        return table;
    };
    // The room for the last column follows from the others.
    const auto used = fill(0).width_before_last() + kTextIndent.size();
    const auto room = style.all || style.width == 0 ? 0 : style.width > used + 20 ? style.width - used : 20;
    auto out = fill(room).text(kTextIndent, style);
    if (shown < listed.size()) {
        out += paint(style, Ink::dim,
                     fmt::format("{}... and {} more ({})", kTextIndent, report::grouped(listed.size() - shown),
                                 kCut)) +
               "\n";
    }
    return out;
}

std::string stamp_table(const SealFinding& seal, const TextStyle& style) {
    using enum report::Table::Align;
    if (seal.stamp.empty()) return {};
    report::Table table({left, left});
    table.add({"stamp", ""});
    for (const auto& [key, value] : seal.stamp) table.add({util::printable(key), util::printable(value)});
    return table.text("    ", style);
}

std::string intact_text(const std::string& target, const SealFinding& seal, const TextStyle& style) {
    auto line = util::printable(target) + ": ";
    line += seal.frame_intact ? "intact" : "weights intact, frame changed";
    line += fmt::format(", {} ({})", report::counted(seal.tensors_total, "tensor"),
                        report::byte_size(seal.bytes_total));
    const auto stamp = report::stamp_text(seal);
    if (!stamp.empty()) line += ", " + stamp;
    auto out = paint(style, Ink::green, line) + "\n";
    if (!report::covers_frame(seal)) {
        out += fmt::format("  scheme {}: {}; the frame is not covered\n", util::printable(seal.scheme),
                           util::printable(seal.detail));
    }
    if ((!seal.frame_intact || report::covers_frame(seal)) && !seal.frame_detail.empty())
        out += "  frame: " + util::printable(seal.frame_detail) + "\n";
    if (style.all) out += stamp_table(seal, style) + tensor_table(seal, style);
    return out;
}

std::string tampered_text(const std::string& target, const SealFinding& seal, const TextStyle& style) {
    auto line = util::printable(target) + ": tampered";
    const auto findings = report::findings_text(seal);
    if (!findings.empty()) line += ", " + findings;
    auto out = paint(style, Ink::red, line) + "\n";
    const auto detail = report::detail_text(seal);
    if (!detail.empty()) out += "  " + without_name(detail, target) + "\n";
    if (!seal.frame_intact && !seal.frame_detail.empty())
        out += "  frame: " + util::printable(seal.frame_detail) + "\n";
    out += tensor_table(seal, style);
    const auto stamp = report::stamp_text(seal);
    if (!stamp.empty()) out += "  " + stamp + "\n";
    if (style.all) out += stamp_table(seal, style);
    return out;
}

// The alarm, or one line; then how far the model moved, and whose fingerprint says so.
std::string fingerprint_text(const std::string& target, const FingerprintFinding& finding,
                             const TextStyle& style) {
    using Outcome = FingerprintFinding::Outcome;
    const auto line = [](const std::string& text) {
        return text.empty() ? text : "  " + util::printable(text) + "\n";
    };
    const auto origin = report::origin_text(finding);
    const auto name = util::printable(target);
    if (finding.outcome == Outcome::error) {
        const auto detail = without_name(finding.detail, target);
        return paint(style, Ink::red, fmt::format("{}: fingerprint not checked, {}", name, detail)) + "\n";
    }
    const auto verdict = policy::verdict_of(finding);
    const bool intact = verdict == Verdict::intact;
    const auto word = intact ? report::word(verdict) : report::word(finding.outcome);
    auto head = fmt::format("{}: {}, {}", name, word, report::pairs_text(finding));
    if (intact && !origin.empty()) head += ", " + origin;
    auto out = paint(style, intact ? Ink::green : Ink::red, head) + "\n";
    out += line(report::runtime_text(finding));
    if (verdict == Verdict::tampered || style.all) out += line(report::gauge_text(finding));
    const auto rungs = report::rungs_text(finding);
    if (!rungs.empty() && (style.all || finding.outcome != Outcome::intact)) {
        out += line("differing pairs: " + rungs);
    }
    return intact ? out : out + line(origin);
}

std::string not_checked(const std::string& target, const std::string& why, const TextStyle& style) {
    const auto reason = why.empty() ? std::string("no reason given") : without_name(why, target);
    return paint(style, Ink::red, fmt::format("{}: not checked, {}", util::printable(target), reason)) + "\n";
}

std::string seal_text(const std::string& target, const SealFinding& seal, const TextStyle& style) {
    switch (seal.outcome) {
        case SealFinding::Outcome::intact:
            return intact_text(target, seal, style);
        case SealFinding::Outcome::tampered:
            return tampered_text(target, seal, style);
        case SealFinding::Outcome::not_found:
            return paint(style, Ink::yellow,
                         fmt::format("{}: unsealed, {}", util::printable(target),
                                     without_name(seal.detail, target))) +
                   "\n";
        case SealFinding::Outcome::error:
            break;
    }
    return not_checked(target, seal.detail, style);
}

}  // namespace

// Each finding speaks for itself; then what is missing, and what a careful reader would want to know.
std::string to_text(const CheckReport& check, const TextStyle& style) {
    std::string out;
    if (check.seal) out += seal_text(check.target, *check.seal, style);
    if (check.signature) out += report::signature_text(check.target, *check.signature, style);
    if (check.fingerprint) out += fingerprint_text(check.target, *check.fingerprint, style);
    for (const auto& missing : check.missing) {
        out += paint(style, Ink::yellow,
                     fmt::format("{}: {}", util::printable(check.target), report::missing_text(missing))) +
               "\n";
    }
    if (report::is_failure(check)) out += not_checked(check.target, check.error, style);
    for (const auto& warning : check.warnings) {
        out += paint(style, Ink::yellow, "  warning: " + without_name(warning, check.target)) + "\n";
    }
    if (!check.hint.empty()) out += "  hint: " + util::printable(check.hint) + "\n";
    return out;
}

}  // namespace modelseal
