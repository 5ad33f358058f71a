#include "report/check/card.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "report/check/document.h"
#include "report/check/html_parts.h"
#include "report/check/seal_section.h"
#include "report/check/standing.h"
#include "report/policy.h"

namespace modelseal::report {
namespace {

// A table of more rows is slow, and nobody reads it; neither are more sentences.
constexpr std::size_t kMostRows = 2000, kMostSentences = 100, kMostTensorsOfFile = 20;
constexpr std::size_t kMostBytes = 1u << 20;  // of the rows of a table, by and large

std::string shown(std::string_view text) {
    return escaped(shortened(text));
}

std::string paragraph(std::string_view label, std::string_view text, Tone tone) {
    const auto before = label.empty() ? std::string() : fmt::format("<b>{}:</b> ", shown(label));
    return fmt::format("<p class=\"{}\">{}{}</p>\n", class_of(tone), before, shown(text));
}

// Each of `rows` that `text_of` has a text for.
template <class Rows>
std::string all_of(const Rows& rows, const auto& text_of) {
    std::string out;
    std::size_t count = 0;
    for (const auto& row : rows) {
        const std::string text = text_of(row);
        if (text.empty()) continue;
        if (++count > kMostSentences) return out + "<p>…</p>\n";
        out += text;
    }
    return out;
}

std::string in(std::string_view element, const std::string& content) {
    if (content.empty()) return {};
    return fmt::format("<{}>\n{}</{}>\n", element, content, element.substr(0, element.find(' ')));
}

// `text`: in lower-case letters.
std::string capitalized(std::string_view text) {
    std::string out(text);
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
    return out;
}

std::string title_of(CheckKind kind) {
    return "<h4>" + capitalized(word(kind)) + "</h4>\n";
}

std::string fact(const Row& row) {
    constexpr std::size_t kNarrow = 24;  // characters that fit a column of facts
    const bool code = row.face == Row::Face::code;
    return fmt::format("<div{}><dt>{}</dt><dd class=\"{}{}\">{}</dd></div>\n",
                       code && row.value.size() > kNarrow ? " class=\"wide\"" : "", shown(row.label),
                       class_of(row.tone), code ? " mono" : "", shown(row.value));
}

std::string tensor_row(const TensorFinding& tensor) {
    const auto kind = tensor.dtype.empty()
                          ? std::string()
                          : fmt::format("{} {}, {}", shown(tensor.dtype), shape_text(tensor.shape),
                                        counted(elements_of(tensor.shape), "element"));
    const auto row = fmt::format(
        "<span class=\"name\"><span class=\"mono\">{}</span><small>{}</small></span><span "
        "class=\"number\">{}</span>"
        "<span class=\"where\">{}<small>{}</small></span>",
        shown(tensor.name), kind, tensor.bit_error_rate ? percent(*tensor.bit_error_rate) : "–", bar(tensor),
        shown(where_text(tensor, 120)));
    const auto map = block_map(tensor);
    if (map.empty()) return fmt::format("<div class=\"tensor\">{}</div>\n", row);
    return fmt::format("<details class=\"tensor\"><summary>{}</summary><div class=\"map\">{}</div></details>\n",
                       row, map);
}

std::string file_row(const FileFinding& file, const std::string& target) {
    auto where = shown(file.detail);
    const auto listed = std::span(file.tensors).first(std::min(file.tensors.size(), kMostTensorsOfFile));
    for (const auto& tensor : listed) {
        if (!where.empty()) where += "<br>";
        where +=
            fmt::format("tensor <span class=\"mono\">{}</span> {}", shown(tensor.name), word(tensor.outcome));
    }
    if (const auto more = file.tensors.size() - listed.size(); more > 0)
        where += fmt::format("<br>… and {} more", grouped(more));
    return fmt::format(
        "<tr><td class=\"name\"><span class=\"mono\">{}</span></td><td>{}</td><td "
        "class=\"where\">{}</td></tr>\n",
        shown(file.name.empty() ? target : file.name), word(file.outcome), where);
}

std::string requirement_row(const Ruling::Requirement& requirement) {
    const auto tone = requirement.holds ? Tone::good : requirement.only_warns ? Tone::doubtful : Tone::bad;
    return fmt::format(
        "<tr><td class=\"mono\">{}</td><td>{}</td><td><span class=\"state "
        "{}\">{}</span></td><td>{}</td></tr>\n",
        shown(requirement.what), shown(requirement.required), class_of(tone), word(requirement),
        shown(requirement.found));
}

template <class Row>
Card::Piece piece_of(std::string text, std::span<const Row> rows, std::string after, const auto& text_of) {
    Card::Piece piece{std::move(text), {}, rows.size(), std::move(after)};
    std::size_t bytes = 0;
    for (const auto& row : rows.first(std::min(rows.size(), kMostRows))) {
        piece.rows.push_back(text_of(row));
        if ((bytes += piece.rows.back().size()) > kMostBytes) break;
    }
    return piece;
}

Card::Piece tensor_list(std::span<const TensorFinding> tensors) {
    constexpr std::string_view kHead =
        R"(<h4>Tensors</h4>
<div class="list">
<p class="tensor heads"><span class="name">Name</span><span class="number">Wrong bits</span><span class="where">Changed elements</span></p>
)";
    constexpr std::string_view kLegend =
        R"(<p class="legend">A bar is the tensor from its first element to its last; a row that can be opened shows its blocks.
<span class="key"><span class="swatch rest"></span>as sealed</span> <span class="key"><span class="swatch hit"></span>not as
sealed</span> <span class="key"><span class="swatch gone"></span>missing, or not known where</span>
<span class="key"><span class="swatch new"></span>was not there</span></p></div>
)";
    return piece_of(std::string(kHead), tensors, std::string(kLegend), tensor_row);
}

Card::Piece table(const std::string& title, std::string_view heads, auto rows, const auto& text_of) {
    return piece_of(
        fmt::format("<h4>{}</h4>\n<div class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n", title,
                    heads),
        rows, "</tbody></table></div>\n", text_of);
}

std::string top_of(const CheckReport& report, const Document& document) {
    const auto tone = kStandings[standing_of(report)].tone;
    const auto headline = report.ruling ? capitalized(sentence(report.ruling->outcome)) : document.headline;
    auto out =
        fmt::format("<summary class=\"top {}\"><h3 class=\"mono\">{}</h3><span class=\"badge\">{}</span>",
                    class_of(tone), shown(document.target), escaped(headline));
    for (const auto& section : document.sections) {
        const bool explained = std::ranges::count(section.rows, section.failure, &Row::value) > 0;
        out += fmt::format("<span class=\"detail\">{}</span>",
                           shown(explained ? section.failure : section.verdict));
    }
    if (!document.policy.verdict.empty())
        out += fmt::format("<span class=\"detail\">{}</span>", shown("policy: " + document.policy.verdict));
    return out + "</summary>\n";
}

// What a section says above its tables.
std::string head_of(const Section& section, const Document& document) {
    const auto text = [&](Row::Shown when, const auto& text_of) {
        return all_of(section.rows, [&](const Row& row) {
            // A failure stands at the top of the card.
            return row.shown == when && row.value != section.failure ? text_of(row) : std::string();
        });
    };
    const auto says =
        text(Row::Shown::always, [](const Row& row) { return paragraph(row.label, row.value, row.tone); });
    return (document.sections.size() > 1 ? title_of(section.kind) : "") + in("div class=\"says\"", says) +
           in("dl", text(Row::Shown::on_request, fact));
}

void add_section(const Section& section, const Document& document, PageInfo::Pairs pairs, Card& card) {
    card.pieces.push_back({head_of(section, document)});
    const bool seal = section.kind == CheckKind::seal;
    if (!section.files.empty()) {
        card.pieces.push_back(table(seal ? "Files that are not as sealed" : "Files that are not as signed",
                                    "<th>File</th><th>Is</th><th>Where</th>", section.files,
                                    [&](const FileFinding& file) { return file_row(file, document.target); }));
    }
    if (!section.tensors.empty()) card.pieces.push_back(tensor_list(section.tensors));
    if (!section.rows.empty() && section.failure.empty()) {
        card.of_seal |= seal;
        card.of_fingerprint |= section.kind == CheckKind::fingerprint;
    }
    if (section.drawn == nullptr) return;
    if (pairs == PageInfo::Pairs::shown) {
        card.shows_queries = true;
        card.pieces.push_back({plots(*section.drawn) + pictures(*section.drawn)});
    } else {
        card.pieces.push_back(
            {"<p class=\"legend pad\">The inputs and margins of the pairs are secret, and left out.</p>\n"});
    }
}

}  // namespace

Card card_of(const CheckReport& report, PageInfo::Pairs pairs) {
    const auto document = document_of(report);
    Card card;
    card.pieces.push_back({top_of(report, document)});
    for (const auto& section : document.sections) add_section(section, document, pairs, card);
    const auto notes = [](std::string_view label, Tone tone) {
        return [label, tone](const std::string& text) { return paragraph(label, text, tone); };
    };
    card.pieces.push_back(
        {in("div class=\"says\"", all_of(document.warnings, notes("warning", Tone::doubtful)) +
                                      all_of(document.hints, notes("hint", Tone::plain)))});
    if (!document.policy.requirements.empty()) {
        card.pieces.push_back(table("Policy", "<th>Requirement</th><th>Required</th><th></th><th>Found</th>",
                                    document.policy.requirements, requirement_row));
    }
    return card;
}

std::string html_of(const Card& card, const Rows& rows, Fold fold) {
    auto out = fmt::format("<details class=\"card\"{}>\n", fold == Fold::open ? " open" : "");
    for (std::size_t i = 0; i < card.pieces.size(); ++i) {
        const auto& piece = card.pieces[i];
        out += piece.text;
        const auto shown = i < rows.size() ? std::span(rows[i]) : std::span<const std::string>();
        for (const auto& row : shown) out += row;
        out += piece.after;
        if (shown.size() < piece.all) {
            out += fmt::format("<p class=\"more pad\">… and {} more; the JSON lists them all</p>\n",
                               grouped(piece.all - shown.size()));
        }
    }
    return out + "</details>\n";
}

}  // namespace modelseal::report
