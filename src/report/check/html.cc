// Reports as a page.
#include <algorithm>
#include <array>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/check/document.h"
#include "report/check/html_parts.h"
#include "report/check/seal_section.h"
#include "report/report.h"

namespace modelseal::report {
namespace {

// A page of more rows is slow, and nobody reads it: of one table, and of all tables together.
constexpr std::size_t kMostRows = 2000, kMostRowsOfPage = 20'000;
constexpr std::size_t kMostOpen = 5;  // cards; where there are more, all of them are folded

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

// Targets of one verdict stand together, the worst first.
struct Group {
    Verdict verdict;
    std::string_view id, title;
    Tone tone;
};
constexpr std::array<Group, 4> kGroups = {{
    {Verdict::tampered, "mismatch", "Does not match", Tone::bad},
    {Verdict::error, "not-checked", "Could not be checked", Tone::bad},
    {Verdict::unsealed, "nothing-found", "Nothing found to check", Tone::doubtful},
    {Verdict::intact, "intact", "Intact", Tone::good},
}};

class Page {
  public:
    Page(std::span<const CheckReport> reports, const PageInfo& info) : info_(info) {
        for (const auto& report : reports) documents_.push_back(document_of(report));
    }

    std::string html() {
        std::string groups;
        for (const auto& group : kGroups) groups += group_html(group);
        return fmt::format(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'unsafe-inline'; img-src data:\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>modelseal "
            "check</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n{}{}{}</main>\n</body>\n</html>\n",
            kPageStyle, header(), groups, glossary());
    }

  private:
    bool several() const { return documents_.size() > 1; }
    bool draws() const {
        return std::ranges::any_of(documents_, [](const Document& document) {
            return std::ranges::any_of(document.sections,
                                       [](const Section& one) { return one.drawn != nullptr; });
        });
    }

    std::string header() const {
        std::vector<std::string> facts;
        if (info_.date) facts.push_back(fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", *info_.date));
        if (info_.duration) facts.push_back(fmt::format("took {:.1f} s", info_.duration->count()));
        if (!info_.program.empty()) facts.push_back(escaped(info_.program));
        for (const auto& key : info_.keys)
            facts.push_back(fmt::format("key <span class=\"mono\">{}</span>", escaped(key)));
        auto out = std::string("<header><h1>Model check</h1>\n");
        if (!facts.empty()) out += fmt::format("<p>{}</p>\n", fmt::join(facts, " · "));
        if (several()) out += chips();
        if (draws() && info_.pairs == PageInfo::Pairs::shown)
            out +=
                "<p class=\"warn note\">This page shows queries of a fingerprint: keep it as safe as the "
                "fingerprint, and away from whoever serves the model.</p>\n";
        return out + "</header>\n";
    }

    std::size_t count(Verdict verdict) const {
        return static_cast<std::size_t>(std::ranges::count(documents_, verdict, &Document::verdict));
    }

    std::string chips() const {
        auto out = fmt::format("<p class=\"chips\">{}:", counted(documents_.size(), "target"));
        for (const auto& group : kGroups) {
            if (const auto there = count(group.verdict); there > 0)
                out += fmt::format(" <a class=\"chip {}\" href=\"#{}\">{} <b>{}</b></a>", class_of(group.tone),
                                   group.id, group.title, grouped(there));
        }
        return out + "</p>\n";
    }

    std::string group_html(const Group& group) {
        if (count(group.verdict) == 0) return {};
        std::string out;
        if (several()) out = fmt::format("<h2 class=\"group\" id=\"{}\">{}</h2>\n", group.id, group.title);
        for (const auto& document : documents_) {
            if (document.verdict == group.verdict) out += card(document);
        }
        return out;
    }

    std::string card(const Document& document) {
        auto out = fmt::format(
            "<details class=\"card\"{}>\n<summary class=\"top {}\"><h3 class=\"mono\">{}</h3><span "
            "class=\"badge\">{}</span>",
            documents_.size() <= kMostOpen ? " open" : "", class_of(document.tone), escaped(document.target),
            escaped(document.standing));
        for (const auto& section : document.sections) {
            const bool explained = std::ranges::count(section.rows, section.failure, &Row::value) > 0;
            const auto& text = explained ? section.failure : section.verdict;
            out += fmt::format("<span class=\"detail\">{}</span>", escaped(text));
        }
        const auto& policy = document.policy;
        if (!policy.verdict.empty())
            out += fmt::format("<span class=\"detail\">{}</span>", escaped("policy: " + policy.verdict));
        out += "</summary>\n";
        for (const auto& section : document.sections) out += section_html(section, document);
        std::string notes;
        for (const auto& row : policy.rows) notes += sentence(row.label, row.value, class_of(policy.tone));
        for (const auto& warning : document.warnings) notes += sentence("warning", warning, "warn");
        for (const auto& hint : document.hints) notes += sentence("hint", hint, "plain");
        if (!notes.empty()) out += "<div class=\"says\">\n" + notes + "</div>\n";
        return out + "</details>\n";
    }

    static std::string sentence(std::string_view label, std::string_view text, std::string_view kind) {
        const auto before = label.empty() ? std::string() : fmt::format("<b>{}:</b> ", escaped(label));
        return fmt::format("<p class=\"{}\">{}{}</p>\n", kind, before, escaped(text));
    }

    std::string section_html(const Section& section, const Document& document) {
        std::string says, facts;
        for (const auto& row : section.rows) {
            if (row.value == section.failure) continue;  // at the top of the card
            if (row.shown == Row::Shown::always) {
                says += sentence(row.label, row.value, class_of(row.tone));
            } else {
                facts += fact(row);
            }
        }
        std::string out;
        if (document.sections.size() > 1) out += title_of(section.kind);
        if (!says.empty()) out += "<div class=\"says\">\n" + says + "</div>\n";
        if (!facts.empty()) out += "<dl>\n" + facts + "</dl>\n";
        out += file_table(section, document) + tensor_table(section);
        if (section.drawn == nullptr) return out;
        if (info_.pairs == PageInfo::Pairs::shown)
            return out + plots(*section.drawn) + pictures(*section.drawn);
        return out +
               "<p class=\"legend pad\">The inputs and margins of the pairs are secret, and left out.</p>\n";
    }

    static std::string title_of(CheckKind kind) {
        auto title = std::string(word(kind));
        title.front() = static_cast<char>(title.front() - 'a' + 'A');
        return "<h4>" + title + "</h4>\n";
    }

    static std::string fact(const Row& row) {
        constexpr std::size_t kNarrow = 24;  // characters that fit a column of facts
        const bool code = row.face == Row::Face::code;
        const bool wide = code && row.value.size() > kNarrow;
        return fmt::format("<div{}><dt>{}</dt><dd class=\"{}{}\">{}</dd></div>\n",
                           wide ? " class=\"wide\"" : "", escaped(row.label), class_of(row.tone),
                           code ? " mono" : "", escaped(row.value));
    }

    // How many of `rows` rows a table shows; what the page holds is bounded.
    std::size_t take(std::size_t rows) {
        const auto shown = std::min({rows, kMostRows, kMostRowsOfPage - rows_});
        rows_ += shown;
        return shown;
    }

    static std::string more(std::size_t rows) {
        return rows == 0
                   ? std::string()
                   : fmt::format("<p class=\"more\">… and {} more; the JSON lists them all</p>", grouped(rows));
    }

    std::string tensor_table(const Section& section) {
        if (section.tensors.empty()) return {};
        const auto shown = take(section.tensors.size());
        std::string rows;
        for (const auto& tensor : section.tensors.first(shown)) {
            const auto kind = tensor.dtype.empty()
                                  ? std::string()
                                  : fmt::format("{} {}, {}", escaped(tensor.dtype), shape_text(tensor.shape),
                                                counted(elements_of(tensor.shape), "element"));
            rows += fmt::format(
                "<tr><td class=\"name\"><span class=\"mono\">{}</span><small>{}</small></td>"
                "<td class=\"number\">{}</td><td class=\"where\">{}<small>{}</small></td></tr>\n",
                escaped(tensor.name), kind, tensor.bit_error_rate ? percent(*tensor.bit_error_rate) : "–",
                bar(tensor), escaped(where_text(tensor, 120)));
        }
        return fmt::format(
            R"(<h4>Tensors</h4>
<div class="scroll"><table>
<thead><tr><th>Name</th><th class="number">Wrong bits</th><th>Changed elements</th></tr></thead>
<tbody>
{}</tbody></table>
{}<p class="legend">A bar is the tensor from its first element to its last.
<span class="swatch rest"></span>as sealed <span class="swatch hit"></span>not as sealed
<span class="swatch new"></span>was not there</p></div>
)",
            rows, more(section.tensors.size() - shown));
    }

    static std::string file_row(const FileFinding& file, const std::string& target) {
        auto where = escaped(file.detail);
        for (const auto& tensor : file.tensors) {
            if (!where.empty()) where += "<br>";
            where += fmt::format("tensor <span class=\"mono\">{}</span> {}", escaped(tensor.name),
                                 word(tensor.outcome));
        }
        return fmt::format(
            "<tr><td class=\"name\"><span class=\"mono\">{}</span></td><td>{}</td><td "
            "class=\"where\">{}</td></tr>\n",
            escaped(file.name.empty() ? target : file.name), word(file.outcome), where);
    }

    std::string file_table(const Section& section, const Document& document) {
        if (section.files.empty()) return {};
        const auto shown = take(section.files.size());
        std::string rows;
        for (const auto& file : section.files.first(shown)) rows += file_row(file, document.target);
        return fmt::format(
            "<h4>Files that are not as {}</h4>\n<div class=\"scroll\"><table>\n"
            "<thead><tr><th>File</th><th>Is</th><th>Where</th></tr></thead>\n<tbody>\n{}</tbody></table>\n{}</"
            "div>\n",
            section.kind == CheckKind::seal ? "sealed" : "signed", rows, more(section.files.size() - shown));
    }

    // The words of the facts, for a reader who sees them for the first time.
    std::string glossary() const {
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
        const auto has = [&](CheckKind kind) {
            return std::ranges::any_of(documents_, [&](const Document& document) {
                return std::ranges::any_of(document.sections, [&](const Section& section) {
                    return section.kind == kind && !section.rows.empty() && section.failure.empty();
                });
            });
        };
        std::string words;
        if (has(CheckKind::seal)) words += kSeal;
        if (has(CheckKind::fingerprint)) words += kFingerprint;
        if (words.empty()) return words;
        return "<details class=\"words\"><summary>Words on this page</summary>\n<dl>\n" + words +
               "</dl></details>\n";
    }

    const PageInfo& info_;
    std::vector<Document> documents_;
    std::size_t rows_ = 0;
};

}  // namespace

std::string to_html(std::span<const CheckReport> reports, const PageInfo& info) {
    return Page(reports, info).html();
}

}  // namespace modelseal::report
