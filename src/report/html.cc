#include <bitset>

#include <fmt/format.h>

#include "report/fingerprint_words.h"
#include "report/html_fingerprint.h"
#include "report/html_parts.h"
#include "report/html_signature.h"
#include "report/html_style.h"
#include "report/report.h"
#include "report/signature_words.h"
#include "report/words.h"

namespace modelseal {
namespace {

using Outcome = TensorFinding::Outcome;
using report::escaped;
using report::fact;

constexpr std::size_t kMaxRows = 2000;  // a page with more of them is slow, and nobody reads it
constexpr std::size_t kCells = 400;     // of a bar: bounds the page, and a cell is still seen

// The cells of a bar that a range touches: each at least one, so that a single element is seen, too.
std::bitset<kCells> touched_cells(const TensorFinding& tensor, std::span<const TensorFinding::Range> ranges) {
    std::bitset<kCells> cells;
    const auto elements = static_cast<double>(report::elements_of(tensor.shape));
    if (elements < 1) return cells;
    const auto cell = [&](std::uint64_t element) {
        return std::min(kCells - 1, static_cast<std::size_t>(static_cast<double>(element) / elements * kCells));
    };
    for (const auto& range : ranges) {
        if (range.count == 0) continue;
        for (auto i = cell(range.first); i <= cell(range.first + (range.count - 1)); ++i) cells.set(i);
    }
    return cells;
}

std::string_view background(const TensorFinding& tensor, std::span<const TensorFinding::Range> ranges) {
    if (tensor.outcome == Outcome::missing) return "gone";
    if (tensor.outcome == Outcome::added) return "new";
    return tensor.outcome == Outcome::changed && ranges.empty() ? "anywhere" : "rest";
}

std::string bar(const TensorFinding& tensor, std::span<const TensorFinding::Range> ranges) {
    auto out =
        fmt::format(R"(<svg viewBox="0 0 {} 1" preserveAspectRatio="none" role="img" aria-label="{} of {}">)",
                    kCells, report::word(tensor.outcome), escaped(tensor.name));
    const auto rect = [&](std::size_t x, std::size_t width, std::string_view kind) {
        out += fmt::format(R"(<rect class="{}" x="{}" width="{}" height="1"/>)", kind, x, width);
    };
    rect(0, kCells, background(tensor, ranges));
    const auto cells = touched_cells(tensor, ranges);
    for (std::size_t i = 0; i < kCells; ++i) {
        if (!cells[i]) continue;
        const auto begin = i;
        while (i < kCells && cells[i]) ++i;
        rect(begin, i - begin, "hit");
    }
    return out + "</svg>";
}

std::string where_text(const TensorFinding& tensor, std::span<const TensorFinding::Range> ranges) {
    switch (tensor.outcome) {
        case Outcome::intact:
            return "intact";
        case Outcome::missing:
            return "missing";
        case Outcome::added:
            return "added, was not sealed";
        case Outcome::changed:
            break;
    }
    if (ranges.empty()) return "changed, somewhere in it";
    std::uint64_t sum = 0;
    for (const auto& range : ranges) sum += range.count;
    const auto all = report::elements_of(tensor.shape);
    if (sum >= all) return fmt::format("all {} elements", report::grouped(all));
    return fmt::format("elements {} of {}", report::ranges_text(ranges, 120), report::grouped(all));
}

std::string tensor_row(const TensorFinding& tensor) {
    const auto ranges = report::joined(tensor.changed);
    const auto kind = tensor.dtype.empty()
                          ? std::string()
                          : fmt::format("{} {}", escaped(tensor.dtype), report::shape_text(tensor.shape));
    return fmt::format(
        "<tr><td class=\"name\"><span class=\"mono\">{}</span><small>{}</small></td>"
        "<td class=\"number\">{}</td><td class=\"where\">{}<small>{}</small></td></tr>\n",
        escaped(tensor.name), kind, tensor.bit_error_rate ? report::percent(*tensor.bit_error_rate) : "–",
        bar(tensor, ranges), where_text(tensor, ranges));
}

std::string tensor_table(const SealFinding& seal) {
    if (seal.tensors.empty()) return {};
    std::string rows;
    const auto shown = std::min(seal.tensors.size(), kMaxRows);
    for (std::size_t i = 0; i < shown; ++i) rows += tensor_row(seal.tensors[i]);
    const auto more = shown == seal.tensors.size()
                          ? std::string()
                          : fmt::format("<p class=\"more\">… and {} more; the JSON lists them all</p>",
                                        report::grouped(seal.tensors.size() - shown));
    return fmt::format(
        R"(<h3>Tensors</h3>
<div class="scroll"><table>
<thead><tr><th>Name</th><th class="number">Wrong bits</th><th>Where</th></tr></thead>
<tbody>
{}</tbody></table>
{}<p class="legend">A bar is the tensor from its first element to its last.
<span class="swatch rest"></span>as sealed <span class="swatch hit"></span>not as sealed
<span class="swatch new"></span>was not there</p></div>
)",
        rows, more);
}

std::string facts(const SealFinding& seal) {
    constexpr std::string_view kWide = " class=\"wide\"", kMono = " class=\"mono\"", kOff = " class=\"off\"";
    std::string out;
    for (const auto& [key, value] : seal.stamp) out += fact(key, escaped(value));
    const bool read =
        seal.outcome == SealFinding::Outcome::intact || seal.outcome == SealFinding::Outcome::tampered;
    if (read) {
        out += fact("tensors", report::grouped(seal.tensors_total));
        out += fact("size", report::byte_size(seal.bytes_total));
        const auto frame = !report::covers_frame(seal) ? "not covered"
                           : seal.frame_intact         ? "intact"
                                                       : "changed";
        out += fact("frame", frame, {}, seal.frame_intact ? std::string_view() : kOff);
        if (!seal.stamp_authentic) out += fact("stamp", "not signed by the vendor", {}, kOff);
        out += fact("wrong bits", report::percent(seal.bit_error_rate));
    }
    out += fact("vendor key", escaped(seal.vendor_key), {}, kMono);
    out += fact("scheme", escaped(seal.scheme));
    if (!seal.frame_intact) out += fact("frame detail", escaped(seal.frame_detail), kWide);
    out += fact("derived from", escaped(seal.parent), kWide, kMono);
    out += fact("root", escaped(seal.root), kWide, kMono);
    return out.empty() ? out : "<dl>\n" + out + "</dl>\n";
}

struct Badge {
    std::string_view tone, text;
};

Badge badge_of(const CheckReport& check) {
    switch (check.verdict) {
        case Verdict::intact:
            if (check.seal && !check.seal->frame_intact) return {"good", "Weights intact"};
            if (check.fingerprint && check.fingerprint->outcome == FingerprintFinding::Outcome::other_runtime) {
                return {"good", "Intact, other runtime"};
            }
            return {"good", "Intact"};
        case Verdict::tampered:
            return {"bad", "Tampered"};
        case Verdict::unsealed: {
            const bool no_seal = check.seal && check.seal->outcome == SealFinding::Outcome::not_found;
            return {"warn", no_seal ? "No seal found" : "Nothing to check against"};
        }
        case Verdict::error:
            break;
    }
    const bool inconclusive =
        check.fingerprint && check.fingerprint->outcome == FingerprintFinding::Outcome::inconclusive;
    return {"bad", inconclusive ? "Inconclusive" : "Not checked"};
}

std::string detail_of(const CheckReport& check) {
    std::string out;
    const auto say = [&](const std::string& text) {
        if (!text.empty()) out += fmt::format("<p class=\"detail\">{}</p>", escaped(text));
    };
    if (report::is_failure(check)) say(check.error);
    if (check.seal) {
        if (check.seal->outcome == SealFinding::Outcome::tampered) say(report::findings_text(*check.seal));
        say(report::detail_text(*check.seal));
    }
    if (check.signature) say(report::signature_headline(*check.signature));
    if (check.fingerprint) report::say_fingerprint(*check.fingerprint, say);
    for (const auto& missing : check.missing) say(report::missing_text(missing));
    for (const auto& warning : check.warnings) say("warning: " + warning);
    say(check.hint);
    return out;
}

std::string card(const CheckReport& check) {
    const auto badge = badge_of(check);
    auto out = fmt::format(
        "<article>\n<div class=\"top {}\"><h2 class=\"mono\">{}</h2><span class=\"badge\">{}</span>{}</div>\n",
        badge.tone, escaped(check.target), badge.text, detail_of(check));
    if (check.seal) out += facts(*check.seal) + tensor_table(*check.seal);
    if (check.signature) out += report::signature_section(*check.signature);
    if (check.fingerprint) out += report::fingerprint_section(*check.fingerprint);
    return out + "</article>\n";
}

std::string summary(std::span<const CheckReport> reports) {
    std::uint64_t intact = 0;
    for (const auto& check : reports) intact += check.verdict == Verdict::intact;
    return fmt::format("{} checked, {} intact", report::counted(reports.size(), "model"),
                       report::grouped(intact));
}

}  // namespace

std::string to_html(std::span<const CheckReport> reports) {
    std::string cards;
    for (const auto& check : reports) cards += card(check);
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; img-src data:\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>modelseal "
        "check</title>\n"
        "<style>{}</style>\n</head>\n<body>\n<main>\n<header><h1>Model "
        "check</h1><p>{}</p></header>\n{}</main>\n</body>\n"
        "</html>\n",
        report::kPageStyle, summary(reports), cards);
}

}  // namespace modelseal
