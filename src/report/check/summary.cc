// A summary in Markdown, as CI systems show it on the page of a run (GitHub's job summaries, GitLab's and Gitea's notes).
#include <algorithm>
#include <map>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "report/check/document.h"
#include "report/policy.h"
#include "report/report.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

constexpr std::size_t kMostSummaryRows = 100;

// As it is, whatever it holds: no emphasis, link, cell or element.
std::string plain(std::string_view text) {
    std::string out;
    for (const char c : util::printable(text)) {
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

// Worst first.
int weight(const CheckReport& report) {
    if (report.ruling) return 3 - static_cast<int>(report.ruling->outcome);
    switch (report.verdict) {
        case Verdict::tampered:
            return 0;
        case Verdict::error:
            return 1;
        case Verdict::unsealed:
            return 2;
        case Verdict::intact:
            break;
    }
    return 3;
}

std::string standing_of(const CheckReport& report, const Document& document) {
    return report.ruling ? std::string(sentence(report.ruling->outcome)) : document.standing;
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
    for (const auto& report : reports) order.push_back(&report);
    std::ranges::stable_sort(order, {}, [](const CheckReport* report) { return weight(*report); });
    std::map<int, std::pair<std::string, std::size_t>> counts;
    std::string rows;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto& report = *order[i];
        const auto document = document_of(report);
        auto& [name, count] = counts[weight(report)];
        name = standing_of(report, document);
        ++count;
        if (i >= kMostSummaryRows) continue;
        rows += fmt::format("| {} | {} | {} |\n", plain(report.target), plain(standing_of(report, document)),
                            plain(why(report, document)));
    }
    auto out = fmt::format("### Model check: {}\n\n", counted(reports.size(), "target"));
    for (const auto& [key, entry] : counts)
        out += fmt::format("- **{}** {}\n", grouped(entry.second), plain(entry.first));
    if (!rows.empty()) out += "\n| target | verdict | |\n| --- | --- | --- |\n" + rows;
    if (order.size() > kMostSummaryRows)
        out += fmt::format("\n… and {} more\n", grouped(order.size() - kMostSummaryRows));
    if (info.date) out += fmt::format("\n{}, {:%Y-%m-%d %H:%M:%S} UTC\n", plain(info.program), *info.date);
    return out;
}

}  // namespace modelseal::report
