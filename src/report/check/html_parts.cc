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
// A map has a square for each block of the seal; of larger tensors, for 2, 4, 8 ... blocks.
constexpr std::size_t kSquares = 1024, kSquaresOfRow = 64, kSquareWidth = 13;
constexpr std::size_t kMostText = 1000;  // bytes of one text

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

// Which of `Count` parts of a tensor the ranges touch: each at least one, so that a single element is seen, too.
// `first_of`, `last_of`: the parts of the first and the last element of a range.
template <std::size_t Count>
std::bitset<Count> touched_parts(std::span<const TensorFinding::Range> ranges, const auto& first_of,
                                 const auto& last_of) {
    std::bitset<Count> parts;
    for (const auto& range : ranges) {
        if (range.count == 0) continue;
        for (auto i = first_of(range.first); i <= last_of(range.first + (range.count - 1)); ++i) parts.set(i);
    }
    return parts;
}

// Calls run(first, count) for each run of set bits among the first `count`.
template <std::size_t Count>
void each_run(const std::bitset<Count>& bits, std::size_t begin, std::size_t end, const auto& run) {
    for (auto i = begin; i < end; ++i) {
        if (!bits[i]) continue;
        const auto first = i;
        while (i < end && bits[i]) ++i;
        run(first, i - first);
    }
}

std::string_view background(const TensorFinding& tensor, std::span<const TensorFinding::Range> ranges) {
    if (tensor.outcome == TensorFinding::Outcome::missing) return "gone";
    if (tensor.outcome == TensorFinding::Outcome::added) return "new";
    return tensor.outcome == TensorFinding::Outcome::changed && ranges.empty() ? "anywhere" : "rest";
}

// The index of an element, row-major: "[3, 0, 1]".
std::string index_text(std::uint64_t element, std::span<const std::uint64_t> shape) {
    std::vector<std::uint64_t> index(shape.size());
    for (auto i = shape.size(); i-- > 0;) {
        index[i] = element % shape[i];
        element /= shape[i];
    }
    return shape_text(index);
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

std::string_view class_of(Tone tone) {
    switch (tone) {
        case Tone::good:
            return "good";
        case Tone::bad:
            return "bad";
        case Tone::doubtful:
            return "warn";
        case Tone::plain:
        case Tone::strong:
        case Tone::faint:
            break;
    }
    return "plain";
}

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

std::string shortened(std::string_view text) {
    if (text.size() <= kMostText) return std::string(text);
    auto end = kMostText;
    while (end > kMostText - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "…";
}

std::string bar(const TensorFinding& tensor) {
    const auto ranges = joined(tensor.changed);
    auto out = fmt::format(R"(<svg viewBox="0 0 {0} 1" preserveAspectRatio="none" role="img" aria-label="{1}">)"
                           R"(<path class="{2}" d="M0 .5h{0}"/>)",
                           kCells, word(tensor.outcome), background(tensor, ranges));
    const auto elements = static_cast<double>(elements_of(tensor.shape));
    std::string hits;
    if (elements >= 1) {
        const auto before = [&](std::uint64_t element) {
            return std::min(static_cast<double>(element) / elements, 1.0) * kCells;
        };
        const auto first = [&](std::uint64_t element) {
            return std::min(kCells - 1, static_cast<std::size_t>(before(element)));
        };
        // The end of an element is the beginning of the next one.
        const auto last = [&](std::uint64_t element) {
            const auto end = static_cast<std::size_t>(std::ceil(before(element + 1)));
            return std::clamp<std::size_t>(end, first(element) + 1, kCells) - 1;
        };
        const auto cells = touched_parts<kCells>(ranges, first, last);
        each_run(cells, 0, kCells,
                 [&](std::size_t at, std::size_t count) { hits += fmt::format("M{} .5h{}", at, count); });
    }
    if (!hits.empty()) out += fmt::format(R"(<path class="hit" d="{}"/>)", hits);
    return out + "</svg>";
}

std::string block_map(const TensorFinding& tensor) {
    const auto ranges = joined(tensor.changed);
    const auto elements = elements_of(tensor.shape);
    if (ranges.empty() || elements == 0) return {};
    // A block is what the seal tells apart; its last one in a tensor may be shorter.
    const auto longest = std::ranges::max(tensor.changed, {}, &TensorFinding::Range::count).count;
    const auto block = std::clamp<std::uint64_t>(longest, 1, elements);
    auto size = block;  // of a square
    while ((elements - 1) / size + 1 > kSquares) size *= 2;
    const auto squares = static_cast<std::size_t>((elements - 1) / size + 1);
    const auto columns = std::min(squares, kSquaresOfRow), rows = (squares - 1) / kSquaresOfRow + 1;
    const auto square_of = [&](std::uint64_t element) {
        return static_cast<std::size_t>(std::min<std::uint64_t>(element / size, squares - 1));
    };
    const auto touched = touched_parts<kSquares>(ranges, square_of, square_of);
    // Lines of dashes, each of which is a square: the style gives their length.
    std::string all, hits;
    for (std::size_t row = 0; row < rows; ++row) {
        const auto first = row * kSquaresOfRow, end = std::min(first + kSquaresOfRow, squares);
        all += fmt::format("M.07 {}.5h{}", row, end - first);
        each_run(touched, first, end, [&](std::size_t at, std::size_t count) {
            hits += fmt::format("M{}.07 {}.5h{}", at - first, row, count);
        });
    }
    const auto changed = fmt::format("{} of {} changed", grouped(touched.count()),
                                     counted(squares, size == block ? "block" : "square"));
    const auto each = size == block ? std::string() : fmt::format(" ({} blocks)", grouped(size / block));
    const auto& last = ranges.back();
    return fmt::format(R"(<svg class="blocks" width="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">)"
                       R"(<path class="rest" d="{}"/><path class="hit" d="{}"/></svg>)"
                       "<p>{}, each of {}{}; from element {} to {}.</p><p class=\"mono\">{}</p>",
                       columns * kSquareWidth, columns, rows, changed, all, hits, changed,
                       counted(size, "element"), each,
                       index_text(std::min(ranges.front().first, elements - 1), tensor.shape),
                       index_text(std::min(last.first + (last.count - 1), elements - 1), tensor.shape),
                       ranges_text(ranges, kMostText));
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

}  // namespace modelseal::report
