#include "report/html_fingerprint.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/fingerprint_words.h"
#include "report/html_parts.h"
#include "report/words.h"
#include "util/encodings.h"
#include "util/log_axis.h"

namespace modelseal::report {
namespace {

using Outcome = FingerprintFinding::Outcome;
using RungFinding = FingerprintFinding::RungFinding;

constexpr std::size_t kMostDots = 2000;  // pairs in a plot: more are a blot, and a slow page
constexpr double kSide = 300, kHalf = kSide / 2;

// Whether the answer is on the other side of the boundary than the record, or as far beyond its place.
bool moved(double recorded, double answered, bool has_floor) {
    const bool crossed = !(recorded < 0 ? answered < 0 : answered > 0);
    return crossed || (has_floor && std::abs(answered) > 2 * std::abs(recorded));
}

util::LogAxis axis_of(const RungFinding& rung, std::size_t pairs) {
    std::vector<double> values = {rung.noise, rung.floor};
    for (std::size_t i = 0; i < pairs; ++i) {
        values.insert(values.end(), rung.recorded[i].begin(), rung.recorded[i].end());
        values.insert(values.end(), rung.answered[i].begin(), rung.answered[i].end());
    }
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
std::string plot(const RungFinding& rung) {
    const auto pairs = std::min({rung.recorded.size(), rung.answered.size(), kMostDots});
    if (pairs == 0) return {};
    const auto axis = axis_of(rung, pairs);
    auto out = fmt::format(
        R"(<figure><svg class="plot" viewBox="0 0 {0} {0}" role="img" aria-label="margins on rung {1}">)"
        R"(<rect class="wrong" width="{2}" height="{2}"/><rect class="wrong" x="{2}" y="{2}" width="{2}" height="{2}"/>)",
        kSide, escaped(rung.name), kHalf);
    out += grid(axis) + fmt::format(R"(<path class="same" d="M0 {0}L{0} 0"/>)", kSide);
    for (std::size_t i = 0; i < pairs; ++i) {
        for (std::size_t member = 0; member < 2; ++member) {
            const double recorded = rung.recorded[i][member], answered = rung.answered[i][member];
            out += fmt::format(R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="2"/>)",
                               moved(recorded, answered, rung.floor > 0) ? "hit" : "dot",
                               kHalf + kHalf * axis.place(recorded), kHalf - kHalf * axis.place(answered));
        }
    }
    return out + fmt::format(
                     "</svg><figcaption>{}: {} of {} differ{}; noise {:.1e}, floor {:.1e}; from 1e{} to 1e{}"
                     "</figcaption></figure>\n",
                     escaped(rung.name), grouped(rung.mismatched), counted(rung.pairs, "pair"),
                     rung.untold == 0 ? "" : fmt::format(", {} untold", grouped(rung.untold)), rung.noise,
                     rung.floor, axis.least_decade(), axis.last_decade());
}

std::string plots(const FingerprintFinding& finding) {
    std::string all;
    for (const auto& rung : finding.rungs) all += plot(rung);
    if (all.empty()) return {};
    return "<h3>Margins</h3>\n<div class=\"scroll plots\">" + all +
           "</div>\n<p class=\"legend pad\">Left to right: the margin on record; bottom to top: as answered; "
           "both "
           "logarithmic on either side of zero. On the diagonal nothing moved; in the shaded quarters a member "
           "is on "
           "the other side of the boundary.</p>\n";
}

std::string pictures(const FingerprintFinding& finding) {
    if (finding.preview.empty()) return {};
    return fmt::format(
        "<h3>Pairs</h3>\n<div class=\"scroll\"><img alt=\"some pairs: member 0, member 1, their difference\" "
        "src=\"data:image/png;base64,{}\"></div>\n",
        util::base64(finding.preview));
}

}  // namespace

void say_fingerprint(const FingerprintFinding& finding, const std::function<void(const std::string&)>& say) {
    if (finding.outcome != Outcome::error) say("fingerprint: " + pairs_text(finding));
    say(runtime_text(finding));
    if (finding.outcome == Outcome::error) say(finding.detail);
    if (finding.outcome == Outcome::tampered) say(gauge_text(finding));
}

std::string fingerprint_section(const FingerprintFinding& finding) {
    constexpr std::string_view kWide = " class=\"wide\"", kMono = " class=\"mono\"", kOff = " class=\"off\"";
    std::string out;
    out += fact("fingerprint", word(finding.outcome), {}, finding.outcome == Outcome::tampered ? kOff : kMono);
    out += fact("model", escaped(finding.model));
    out += fact("customer", escaped(finding.customer));
    out += fact("access", escaped(finding.access));
    out += fact("rung", escaped(finding.rung));
    if (finding.outcome != Outcome::error) {
        out += fact("pairs that differ",
                    fmt::format("{} of {}", grouped(finding.mismatched), grouped(finding.pairs)));
        out += fact("false alarms", fmt::format("at most {:.1g} a check", finding.false_alarm_bound));
        if (finding.shift) out += fact("median shift", fmt::format("{:.1e}", *finding.shift));
        out += fact("inputs sent", grouped(finding.queries));
    }
    out += fact("made", escaped(finding.created));
    out += fact("expires", escaped(finding.expires));
    out += fact("vendor key", escaped(finding.vendor_key), {}, kMono);
    out += fact("fingerprint id", escaped(finding.id), kWide, kMono);
    out += fact("bound to root", escaped(finding.root), kWide, kMono);
    return "<dl>\n" + out + "</dl>\n" + plots(finding) + pictures(finding);
}

}  // namespace modelseal::report
