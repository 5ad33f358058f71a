// Reports as a page.
#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/check/card.h"
#include "report/check/html_parts.h"
#include "report/check/standing.h"
#include "report/report.h"

namespace modelseal::report {
namespace {

// What a page holds: more is slow to open, and nobody reads it.
constexpr std::size_t kMostCards = 10'000, kMostBytesOfCards = 48u << 20, kMostBytesOfRows = 8u << 20;
constexpr std::size_t kMostOpen = 5;  // cards; where there are more, all of them are folded
// Where there are more, only cards in sight are drawn: the page opens in half the time, but a picture of all of it has holes.
constexpr std::size_t kMostDrawn = 1000;
constexpr std::size_t kMostKeys = 8;

// In the order of a page.
struct Place {
    std::size_t standing = 0;
    std::string target;
    std::size_t number = 0;  // of the report, for targets that are given twice
    auto operator<=>(const Place&) const = default;
};

// The entries that come first, as many as there is room for, and at least one: the same ones in whatever order they are added.
template <class Value>
class Leading {
  public:
    Leading(std::size_t most, std::size_t most_bytes) : most_(most), most_bytes_(most_bytes) {}
    void add(const Place& place, Value value, std::size_t bytes) {
        if (end_ && *end_ < place) return;
        entries_.emplace(place, Entry{std::move(value), bytes});
        bytes_ += bytes;
        while (entries_.size() > 1 && (entries_.size() > most_ || bytes_ > most_bytes_)) {
            const auto last = std::prev(entries_.end());
            end_ = last->first;
            bytes_ -= last->second.bytes;
            entries_.erase(last);
        }
    }
    const Value* at(const Place& place) const {
        const auto found = entries_.find(place);
        return found == entries_.end() ? nullptr : &found->second.value;
    }
    const auto& entries() const { return entries_; }

  private:
    struct Entry {
        Value value;
        std::size_t bytes = 0;
    };
    std::size_t most_, most_bytes_, bytes_ = 0;
    std::map<Place, Entry> entries_;
    std::optional<Place> end_;  // of what there is room for
};

std::string run_fact(std::string_view label, std::string_view value, std::string_view kind = {}) {
    return fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>\n", kind, label, value);
}

std::string duration_text(double seconds) {
    return seconds < 1 ? fmt::format("{:.0f} ms", seconds * 1000) : fmt::format("{:.1f} s", seconds);
}

std::string keys_html(const std::vector<std::string>& keys) {
    std::string out;
    for (const auto& key : std::span(keys).first(std::min(keys.size(), kMostKeys)))
        out +=
            fmt::format("{}<span class=\"mono\">{}</span>", out.empty() ? "" : ", ", escaped(shortened(key)));
    return keys.size() > kMostKeys ? out + fmt::format(" and {} more", grouped(keys.size() - kMostKeys)) : out;
}

std::string_view meaning_of(ExitCode code) {
    switch (code) {
        case ExitCode::done:
            return "0, all that was expected holds";
        case ExitCode::mismatch:
            return "1, something does not match";
        case ExitCode::usage:
            return "2, wrong usage";
        case ExitCode::failed:
            return "3, something could not be checked";
        case ExitCode::nothing:
            break;
    }
    return "4, something that was expected was not found";
}

std::string facts_html(const PageInfo& info) {
    std::string out;
    if (info.date) out += run_fact("Date", fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", *info.date));
    if (info.duration) out += run_fact("Duration", duration_text(info.duration->count()));
    if (!info.program.empty()) out += run_fact("Program", escaped(info.program));
    if (info.exit_code) out += run_fact("Exit status", meaning_of(*info.exit_code));
    if (!info.keys.empty())
        out += run_fact(info.keys.size() == 1 ? "Key" : "Keys", keys_html(info.keys),
                        info.keys.size() == 1 ? "" : " class=\"wide\"");
    return out.empty() ? out : "<dl class=\"run\">\n" + out + "</dl>\n";
}

// The words of the facts, for a reader who sees them for the first time.
std::string glossary(bool seal, bool fingerprint) {
    constexpr std::string_view kSeal =
        R"(<dt>frame</dt><dd>everything in the files that is not the value of a weight: names, shapes, graph, code</dd>
<dt>wrong bits</dt><dd>share of the mark's bits that do not read as they were sealed; about 50 % where weights were replaced</dd>
<dt>root</dt><dd>digest of what the vendor signed; it identifies this sealed model</dd>
)";
    constexpr std::string_view kFingerprint =
        R"(<dt>pair</dt><dd>two inputs on both sides of a decision boundary of the model; a changed model answers some of them differently</dd>
<dt>rung</dt><dd>pairs at one distance from the boundary: exact (one runtime), fp32 (any in float32), mixed (any)</dd>
<dt>false alarms</dt><dd>how often an unchanged model, run by an honest runtime, would be called tampered</dd>
)";
    if (!seal && !fingerprint) return {};
    return fmt::format(
        "<details class=\"words\"><summary>Words on this page</summary>\n<dl>\n{}{}</dl></details>\n",
        seal ? kSeal : "", fingerprint ? kFingerprint : "");
}

}  // namespace

struct Page::Content {
    explicit Content(PageInfo::Pairs shown) : pairs(shown) {}

    std::size_t all() const { return number; }
    bool several() const { return number > 1; }
    std::size_t passing() const {
        std::size_t count = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) count += kStandings[i].passes ? counts[i] : 0;
        return count;
    }

    // For the style.
    std::string_view density() const {
        return all() > kMostDrawn ? " class=\"many vast\"" : all() > kMostOpen ? " class=\"many\"" : "";
    }

    // "2 of 9 targets do not pass"
    std::string outcome() const {
        const auto failing = all() - passing();
        if (all() == 0) return "Nothing was checked";
        if (failing == 0) return several() ? fmt::format("All {} pass", counted(all(), "target")) : "Passes";
        if (!several()) return "Does not pass";
        return fmt::format("{} of {} {} not pass", grouped(failing), counted(all(), "target"),
                           failing == 1 ? "does" : "do");
    }

    // Counts that lead to their groups, and a bar of their shares.
    std::string chips() const {
        std::string links, shares;
        double at = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] == 0) continue;
            const auto& standing = kStandings[i];
            links += fmt::format(" <a class=\"chip {}\" href=\"#{}\">{} <b>{}</b></a>", class_of(standing.tone),
                                 standing.id, standing.title, grouped(counts[i]));
            const auto width = 1000.0 * static_cast<double>(counts[i]) / static_cast<double>(all());
            shares +=
                fmt::format(R"(<path class="{}" d="M{:.1f} .5h{:.1f}"/>)", class_of(standing.tone), at, width);
            at += width;
        }
        return fmt::format(
            R"(<nav class="chips" aria-label="outcomes">{}:{}</nav>
<svg class="share" viewBox="0 0 1000 1" preserveAspectRatio="none" aria-hidden="true">{}</svg>
)",
            counted(all(), "target"), links, shares);
    }

    // Hidden until the script is there.
    std::string tools() const {
        std::string options;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] > 0)
                options +=
                    fmt::format("<option value=\"{}\">{}</option>", kStandings[i].id, kStandings[i].title);
        }
        return fmt::format(
            R"(<form class="tools" id="tools" role="search" hidden>
<label>Filter <input type="search" id="find" placeholder="name, tensor, reason" autocomplete="off" spellcheck="false"></label>
<label>Outcome <select id="outcome"><option value="">all</option>{}</select></label>
<button type="button" id="unfold">Unfold all</button> <button type="button" id="fold">Fold all</button>
<output id="count" for="find outcome" role="status"></output>
</form>
)",
            options);
    }

    std::string header(const PageInfo& info) const {
        const bool good = all() > 0 && passing() == all() && info.problems.empty();
        auto out = fmt::format("<header><h1>Model check</h1>\n<p class=\"overall {}\">{}{}</p>\n",
                               good ? "good" : "bad", outcome(),
                               info.problems.empty() ? "" : ", and the run is not complete");
        for (const auto& problem :
             std::span(info.problems).first(std::min<std::size_t>(info.problems.size(), 100)))
            out += fmt::format("<p class=\"bad note\">{}</p>\n", escaped(shortened(problem)));
        out += facts_html(info);
        if (several()) out += chips();
        if (shows_queries)
            out +=
                "<p class=\"warn note\">This page shows queries of a fingerprint: keep it as safe as the "
                "fingerprint, and away from whoever serves the model.</p>\n";
        return out + "</header>\n";
    }

    std::string groups() const {
        const auto fold = all() <= kMostOpen ? Fold::open : Fold::folded;
        const Rows none;
        std::array<std::string, kStandings.size()> listed;
        std::array<std::size_t, kStandings.size()> shown{};
        for (const auto& [place, entry] : cards.entries()) {
            const auto* of_card = rows.at(place);
            listed[place.standing] += html_of(entry.value, of_card != nullptr ? *of_card : none, fold);
            ++shown[place.standing];
        }
        std::string out;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] == 0) continue;
            const auto& standing = kStandings[i];
            out += fmt::format("<section class=\"group\" id=\"{}\">\n", standing.id);
            if (several())
                out += fmt::format("<h2>{} <small>{}</small></h2>\n", standing.title, grouped(counts[i]));
            out += listed[i];
            if (shown[i] < counts[i]) {
                out += fmt::format("<p class=\"more\">… and {} more; the JSON lists them all</p>\n",
                                   grouped(counts[i] - shown[i]));
            }
            out += "</section>\n";
        }
        return out;
    }

    PageInfo::Pairs pairs;
    std::size_t number = 0;
    std::array<std::size_t, kStandings.size()> counts{};
    bool of_seal = false, of_fingerprint = false, shows_queries = false;
    Leading<Card> cards{kMostCards, kMostBytesOfCards};
    Leading<Rows> rows{kMostCards, kMostBytesOfRows};
};

Page::Page(PageInfo::Pairs pairs) : content_(std::make_unique<Content>(pairs)) {}
Page::Page(Page&&) noexcept = default;
Page& Page::operator=(Page&&) noexcept = default;
Page::~Page() = default;

void Page::add(const CheckReport& report) {
    auto card = card_of(report, content_->pairs);
    const Place place{standing_of(report), report.target, content_->number++};
    ++content_->counts[place.standing];
    content_->of_seal |= card.of_seal;
    content_->of_fingerprint |= card.of_fingerprint;
    content_->shows_queries |= card.shows_queries;
    Rows rows;
    std::size_t bytes = place.target.size(), bytes_of_rows = 0;
    for (auto& piece : card.pieces) {
        bytes += piece.text.size() + piece.after.size();
        for (const auto& row : piece.rows) bytes_of_rows += row.size();
        rows.push_back(std::exchange(piece.rows, {}));
    }
    content_->cards.add(place, std::move(card), bytes);
    if (bytes_of_rows > 0) content_->rows.add(place, std::move(rows), bytes_of_rows);
}

std::string Page::html(const PageInfo& info) const {
    const auto& content = *content_;
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>Model check: "
        "{}</title>\n<style>{}</style>\n</head>\n<body>\n<main{}>\n{}{}{}{}</main>\n{}</body>\n</html>\n",
        page_policy(), content.outcome(), kPageStyle, content.density(), content.header(info),
        content.several() ? content.tools() : "", content.groups(),
        glossary(content.of_seal, content.of_fingerprint), fmt::format("<script>{}</script>\n", kPageScript));
}

std::string to_html(std::span<const CheckReport> reports, const PageInfo& info) {
    Page page(info.pairs);
    for (const auto& report : reports) page.add(report);
    return page.html(info);
}

}  // namespace modelseal::report
