// A summary in Markdown, as CI systems show it on the page of a run (GitHub's job summaries, GitLab's and Gitea's notes).
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "report/check/document.h"
#include "report/check/html_parts.h"
#include "report/check/standing.h"
#include "report/policy.h"
#include "report/report.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

constexpr std::size_t kMostSummaryRows = 100;

// As it is, whatever it holds: no emphasis, link, cell or element.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : util::printable(shortened(text))) {
        if (c == '<') {
            out += "&lt;";
        } else if (c == '&') {
            out += "&amp;";
        } else {
            if (std::string_view("\\`*_{}[]()#+-.!|~>@:").find(c) != std::string_view::npos) out += '\\';
            out += c;
        }
    }
    return out;
}

std::string outcome_of(const CheckReport& report, const Document& document) {
    return report.ruling ? std::string(sentence(report.ruling->outcome)) : document.headline;
}

std::string why(const CheckReport& report, const Document& document) {
    if (report.ruling && !document.policy.rows.empty())
        return document.policy.rows.front().label + ": " + document.policy.rows.front().value;
    const auto& section = document.sections.front();
    return section.failure.empty() ? section.verdict : section.failure;
}

}  // namespace

std::string to_summary(std::span<const CheckReport> reports, const PageInfo& info) {
    std::vector<const CheckReport*> order;
    std::array<std::size_t, kStandings.size()> counts{};
    for (const auto& report : reports) {
        order.push_back(&report);
        ++counts[standing_of(report)];
    }
    std::ranges::stable_sort(order, [](const CheckReport* a, const CheckReport* b) {
        return std::pair(standing_of(*a), std::string_view(a->target)) <
               std::pair(standing_of(*b), std::string_view(b->target));
    });
    auto out = fmt::format("### Model check: {}\n\n", counted(reports.size(), "target"));
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] > 0) out += fmt::format("- **{}** {}\n", grouped(counts[i]), plain(kStandings[i].title));
    }
    for (const auto& problem : info.problems) out += fmt::format("- **problem:** {}\n", plain(problem));
    if (!order.empty()) out += "\n| target | verdict | why |\n| --- | --- | --- |\n";
    for (const auto* report : std::span(order).first(std::min(order.size(), kMostSummaryRows))) {
        const auto document = document_of(*report);
        out += fmt::format("| {} | {} | {} |\n", plain(report->target), plain(outcome_of(*report, document)),
                           plain(why(*report, document)));
    }
    if (order.size() > kMostSummaryRows)
        out += fmt::format("\n… and {} more\n", grouped(order.size() - kMostSummaryRows));
    if (info.date) out += fmt::format("\n{}, {:%Y-%m-%d %H:%M:%S} UTC\n", plain(info.program), *info.date);
    return out;
}

}  // namespace modelseal::report
