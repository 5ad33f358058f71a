#include "report/check/html_parts.h"

#include <algorithm>
#include <bitset>
#include <cmath>

#include <fmt/format.h>

#include "report/check/fingerprint_section.h"
#include "report/words.h"
#include "util/encodings.h"
#include "util/log_axis.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

using RungFinding = FingerprintFinding::RungFinding;

constexpr std::size_t kMostDots = 2000;  // pairs in a plot: more are a blot, and a slow page
constexpr double kSide = 300, kHalf = kSide / 2;
constexpr std::size_t kCells = 400;  // of a bar: bounds the page, and a cell is still seen

// Margins of one rung, by query.
struct Dots {
    std::vector<double> recorded, answered;
    std::vector<bool> moved;
};

Dots dots_of(const FingerprintFinding::Pairs::OnRung& pairs) {
    const auto count = std::min({pairs.recorded.size(), pairs.answered.size(), pairs.moved.size(), kMostDots});
    Dots dots;
    for (std::size_t i = 0; i < count; ++i) {
        for (const std::size_t member : {0u, 1u}) {
            dots.recorded.push_back(pairs.recorded[i][member]);
            dots.answered.push_back(pairs.answered[i][member]);
            dots.moved.push_back(pairs.moved[i][member]);
        }
    }
    return dots;
}

// All triggers, whatever rung they count on.
Dots dots_of(const FingerprintFinding::Triggers& triggers) {
    const auto count = std::min({triggers.recorded.size(), triggers.answered.size(), kMostDots});
    Dots dots;
    for (std::size_t i = 0; i < count; ++i) {
        dots.recorded.push_back(triggers.recorded[i]);
        dots.answered.push_back(triggers.answered[i]);
        dots.moved.push_back(!(triggers.answered[i] > 0));
    }
    return dots;
}

// The cells of a bar that a range touches: each at least one, so that a single element is seen, too.
std::bitset<kCells> touched_cells(const TensorFinding& tensor, std::span<const TensorFinding::Range> ranges) {
    std::bitset<kCells> cells;
    const auto elements = static_cast<double>(elements_of(tensor.shape));
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
    if (tensor.outcome == TensorFinding::Outcome::missing) return "gone";
    if (tensor.outcome == TensorFinding::Outcome::added) return "new";
    return tensor.outcome == TensorFinding::Outcome::changed && ranges.empty() ? "anywhere" : "rest";
}

util::LogAxis axis_of(const RungFinding& rung, const Dots& dots) {
    std::vector<double> values = {rung.noise, rung.floor};
    values.insert(values.end(), dots.recorded.begin(), dots.recorded.end());
    values.insert(values.end(), dots.answered.begin(), dots.answered.end());
    return util::LogAxis(values);
}

std::string grid(const util::LogAxis& axis) {
    std::string out;
    for (int decade = axis.least_decade(); decade <= axis.last_decade(); ++decade) {
        for (const double sign : {-1.0, 1.0}) {
            const double at = kHalf + kHalf * axis.place(sign * std::pow(10.0, decade));
            out += fmt::format(R"(<path class="grid" d="M{0:.1f} 0V{1}M0 {0:.1f}H{1}"/>)", at, kSide);
        }
    }
    return out + fmt::format(R"(<path class="axis" d="M{0} 0V{1}M0 {0}H{1}"/>)", kHalf, kSide);
}

// As recorded from left to right, as answered from the bottom up: on the diagonal where nothing moved.
std::string plot(const RungFinding& rung, const std::string& caption, const Dots& dots) {
    if (dots.recorded.empty()) return {};
    const auto axis = axis_of(rung, dots);
    auto out = fmt::format(
        R"(<figure><svg class="plot" viewBox="0 0 {0} {0}" role="img" aria-label="margins on rung {1}">)"
        R"(<rect class="wrong" width="{2}" height="{2}"/><rect class="wrong" x="{2}" y="{2}" width="{2}" height="{2}"/>)",
        kSide, escaped(rung.name), kHalf);
    out += grid(axis) + fmt::format(R"(<path class="same" d="M0 {0}L{0} 0"/>)", kSide);
    for (std::size_t i = 0; i < dots.recorded.size(); ++i) {
        out += fmt::format(R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="2"/>)",
                           dots.moved[i] ? "hit" : "dot", kHalf + kHalf * axis.place(dots.recorded[i]),
                           kHalf - kHalf * axis.place(dots.answered[i]));
    }
    return out + fmt::format("</svg><figcaption>{}; axes from 1e{} to 1e{}</figcaption></figure>\n",
                             escaped(caption), axis.least_decade(), axis.last_decade());
}

std::string all_plots(const FingerprintFinding& finding) {
    std::string all;
    if (const auto* triggers = std::get_if<FingerprintFinding::Triggers>(&finding.details)) {
        if (finding.rungs.empty()) return {};
        const auto& finest = finding.rungs.front();
        return plot(finest, rung_text(finding, finest), dots_of(*triggers));
    }
    const auto& pairs = std::get<FingerprintFinding::Pairs>(finding.details).rungs;
    for (std::size_t i = 0; i < std::min(pairs.size(), finding.rungs.size()); ++i) {
        all += plot(finding.rungs[i], rung_text(finding, finding.rungs[i]), dots_of(pairs[i]));
    }
    return all;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : util::printable(text)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string bar(const TensorFinding& tensor) {
    const auto ranges = joined(tensor.changed);
    auto out =
        fmt::format(R"(<svg viewBox="0 0 {} 1" preserveAspectRatio="none" role="img" aria-label="{} of {}">)",
                    kCells, word(tensor.outcome), escaped(tensor.name));
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

std::string plots(const FingerprintFinding& finding) {
    const auto all = all_plots(finding);
    if (all.empty()) return {};
    const auto meaning =
        std::holds_alternative<FingerprintFinding::Triggers>(finding.details)
            ? "a trigger gets another class. Red triggers do."
            : "a member is on the other side of the boundary. Red members make their pair differ.";
    return "<h4>Margins</h4>\n<div class=\"scroll plots\">" + all +
           "</div>\n<p class=\"legend pad\">Left to right: the margin on record; bottom to top: as answered; "
           "both logarithmic on either side of zero. On the diagonal nothing moved; in the shaded quarters " +
           meaning + "</p>\n";
}

std::string pictures(const FingerprintFinding& finding) {
    if (finding.preview.empty()) return {};
    const bool triggers = std::holds_alternative<FingerprintFinding::Triggers>(finding.details);
    return fmt::format(
        "<h4>{}</h4>\n<div class=\"scroll\"><img alt=\"{}\" src=\"data:image/png;base64,{}\"></div>\n",
        triggers ? "Triggers" : "Pairs",
        triggers ? "some triggers" : "some pairs: member 0, member 1, their difference",
        util::base64(finding.preview));
}

constinit const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5c6878; --line: #e3e7ec; --bar: #dbe1e8;
  --good: #1a7f4b; --good-soft: #e3f4ea; --bad: #c02636; --bad-soft: #fce8ea; --warn: #8a5a00; --warn-soft: #fdf1d8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2028; --ink: #e4e9ef; --soft: #97a3b2; --line: #2b333e; --bar: #323c49;
    --good: #55c98a; --good-soft: #173426; --bad: #ff7a86; --bad-soft: #40191f; --warn: #f0b95a; --warn-soft: #3a2c12;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 2.5rem 1.25rem; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 66rem; margin: 0 auto; }
header { margin: 0 0 1.75rem; }
h1 { margin: 0; font-size: 1.6rem; letter-spacing: -.01em; }
header p { margin: .2rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
.chips { margin: .9rem 0 0; line-height: 2.2; }
.chip { display: inline-block; padding: 0 .8rem; margin-right: .25rem; border-radius: 999px; line-height: 1.8; background: var(--tone-soft); color: var(--tone); text-decoration: none; }
header p.note { margin-top: .9rem; padding: .6rem .9rem; border-radius: 10px; background: var(--tone-soft); color: var(--tone); }
h2.group { margin: 2rem 0 .75rem; font-size: 1.05rem; }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
details.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; margin: 0 0 1rem; overflow: hidden;
  box-shadow: 0 1px 2px rgb(0 0 0 / 5%), 0 8px 24px rgb(0 0 0 / 4%);
}
.top { position: relative; cursor: pointer; list-style: none; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: 1.25rem 3.25rem 1.25rem calc(1.5rem - 6px); border-left: 6px solid var(--tone); }
.top h3 { margin: 0; font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; flex: 1 1 16rem; }
.badge { padding: .2rem .8rem; border-radius: 999px; background: var(--tone-soft); color: var(--tone); font-weight: 650; white-space: nowrap; }
.top::-webkit-details-marker { display: none; }
.top::after { content: ""; position: absolute; right: 1.4rem; top: 1.65rem; width: .5rem; height: .5rem; border: solid var(--soft); border-width: 0 2px 2px 0; transform: rotate(45deg); }
[open] > .top::after { transform: rotate(-135deg); }
.top .detail { flex-basis: 100%; margin: 0; color: var(--soft); overflow-wrap: anywhere; }
.says { padding: 1rem 1.5rem; border-top: 1px solid var(--line); }
.says p { margin: 0; overflow-wrap: anywhere; }
.says p.warn { color: var(--warn); }
.plain { --tone: var(--soft); --tone-soft: var(--line); }
.good { --tone: var(--good); --tone-soft: var(--good-soft); }
.bad { --tone: var(--bad); --tone-soft: var(--bad-soft); }
.warn { --tone: var(--warn); --tone-soft: var(--warn-soft); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(12.5rem, 40%), 1fr)); gap: 1rem 1.5rem; margin: 0; padding: 1.25rem 1.5rem; border-top: 1px solid var(--line); }
dl div { min-width: 0; }
dl .wide { grid-column: 1 / -1; }
dt { color: var(--soft); font-size: .78rem; text-transform: uppercase; letter-spacing: .05em; }
dd { margin: .1rem 0 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
dd.bad { color: var(--bad); font-weight: 600; }
h4 { margin: 0; padding: 1.25rem 1.5rem 0; font-size: .95rem; border-top: 1px solid var(--line); }
h4 + .says, h4 + dl { border-top: 0; padding-top: .5rem; }
.says + dl { border-top: 0; padding-top: 0; }
.scroll { overflow-x: auto; padding: .25rem 1.5rem 1.25rem; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-size: .78rem; font-weight: 500; padding: .6rem .75rem .35rem 0; white-space: nowrap; }
td { padding: .55rem .75rem .55rem 0; border-top: 1px solid var(--line); vertical-align: top; }
td.name { overflow-wrap: anywhere; min-width: 11rem; }
td.name small, td.where small { display: block; color: var(--soft); overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.where { width: 46%; min-width: 15rem; padding-right: 0; }
svg { display: block; width: 100%; height: 14px; border-radius: 4px; margin: .35rem 0 .2rem; }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: .75rem 0 0; flex: 1 1 15rem; max-width: 20rem; }
figcaption { color: var(--soft); font-size: .85rem; margin-top: .4rem; }
svg.plot { height: auto; border: 1px solid var(--line); margin: 0; }
svg .wrong { fill: var(--bad); opacity: .07; }
svg .grid { stroke: var(--line); stroke-width: .7; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .same { stroke: var(--soft); stroke-dasharray: 3 3; fill: none; }
svg .dot { fill: var(--good); opacity: .8; }
.pad { padding: 0 1.5rem 1.25rem; }
.words { color: var(--soft); font-size: .9rem; }
.words summary { cursor: pointer; }
.words dl { display: block; border: 0; padding: .75rem 0; }
.words dt { text-transform: none; letter-spacing: 0; color: var(--ink); font-size: inherit; }
.words dd { margin: 0 0 .5rem; }
img { display: block; max-width: 100%; border-radius: 6px; image-rendering: pixelated; }
svg .rest { fill: var(--bar); }
svg .hit { fill: var(--bad); }
svg .new { fill: var(--warn); }
svg .gone, svg .anywhere { fill: var(--bad); opacity: .4; }
.more, .legend { color: var(--soft); font-size: .85rem; margin: .5rem 0 0; }
.swatch { display: inline-block; width: .8em; height: .8em; border-radius: 3px; margin: 0 .35em 0 1em; vertical-align: -1px; }
.swatch.hit { background: var(--bad); }
.swatch.rest { background: var(--bar); }
.swatch.new { background: var(--warn); }
@media print { body { background: none; padding: 0; } details.card { box-shadow: none; break-inside: avoid; } }
)css";

}  // namespace modelseal::report
