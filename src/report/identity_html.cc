// Pages about one identity image, and about one claim.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/check/html_parts.h"
#include "report/identity.h"
#include "report/words.h"
#include "util/encodings.h"

namespace modelseal::report {
namespace {

struct PageFact {
    std::string label, value;
    bool code = false;
};

std::string facts_html(const std::vector<PageFact>& facts) {
    std::string out;
    for (const auto& fact : facts) {
        out += fmt::format("<div{}><dt>{}</dt><dd class=\"plain{}\">{}</dd></div>\n",
                           fact.code ? " class=\"wide\"" : "", escaped(fact.label), fact.code ? " mono" : "",
                           escaped(fact.value));
    }
    return "<dl>\n" + out + "</dl>\n";
}

std::string header_html(const char* title, const PageInfo& info) {
    std::vector<std::string> facts;
    if (info.date) facts.push_back(fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", *info.date));
    if (info.duration) facts.push_back(fmt::format("took {:.1f} s", info.duration->count()));
    if (!info.program.empty()) facts.push_back(escaped(info.program));
    return fmt::format("<header><h1>{}</h1>\n<p>{}</p>\n</header>\n", title, fmt::join(facts, " · "));
}

struct IdentityCard {
    const char* title;
    std::string name, badge, detail;
    bool good = false;
};

std::string page_html(const IdentityCard& card, const std::string& content,
                      const std::vector<std::string>& warnings, const PageInfo& info) {
    std::string says;
    for (const auto& warning : warnings)
        says += fmt::format("<p class=\"warn\"><b>warning:</b> {}</p>\n", escaped(warning));
    if (!says.empty()) says = "<div class=\"says\">\n" + says + "</div>\n";
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n<meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\">\n"
        "<title>modelseal identity</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n{}"
        "<details class=\"card\" open>\n<summary class=\"top {}\"><h3 class=\"mono\">{}</h3><span "
        "class=\"badge\">{}</span><span class=\"detail\">{}</span></summary>\n{}{}</details>\n"
        "</main>\n</body>\n</html>\n",
        page_policy(), kPageStyle, header_html(card.title, info), card.good ? "good" : "bad",
        escaped(card.name), card.badge, escaped(card.detail), content, says);
}

void add_registry(std::vector<PageFact>& facts, const RegistryFacts& registry) {
    facts.push_back({"registry", registry.name + (registry.verified ? "" : " (not verified)")});
    facts.push_back({"vendor key", registry.vendor_key});
    if (registry.number) facts.push_back({"state after change", grouped(*registry.number)});
    if (!registry.exported.empty()) facts.push_back({"exported", registry.exported});
    if (!registry.next.empty()) facts.push_back({"next by", registry.next});
}

void add_mark(std::vector<PageFact>& facts, const IdentityMark& mark) {
    facts.push_back({"mark", mark.id});
    if (!mark.model.empty()) facts.push_back({"made of", mark.model});
    facts.push_back({"additional class", grouped(mark.extra_class)});
    facts.push_back({"digest of the marked model", mark.digest, true});
}

}  // namespace

std::string to_html(const IdentityReport& report, const PageInfo& info) {
    const bool admitted = report.admission == Admission::admitted;
    std::vector<PageFact> facts = {{"target", report.target}};
    facts.push_back({"answer", report.label ? fmt::format("class {}", *report.label) : "not asked"});
    if (report.identity) {
        const auto& identity = *report.identity;
        facts.push_back({"user", identity.user});
        facts.push_back({"identity", identity.serial});
        facts.push_back({"issued", identity.issued});
        facts.push_back({"expires", identity.expires.empty() ? "never" : identity.expires});
        if (!identity.revoked.empty()) facts.push_back({"revoked", identity.revoked});
    }
    if (report.mark) add_mark(facts, *report.mark);
    add_registry(facts, report.registry);
    auto content = facts_html(facts);
    if (!report.picture.empty()) {
        content += fmt::format(
            "<h4>Picture</h4>\n<div class=\"scroll\"><img alt=\"the picture that was shown\" "
            "style=\"min-width: 14rem\" src=\"data:image/png;base64,{}\"></div>\n"
            "<p class=\"legend pad\">Shown without the bits of an identity: this copy admits nobody.</p>\n",
            util::base64(report.picture));
    }
    return page_html(
        {"Identity check", report.image, admitted ? "Admitted" : "Refused", report.detail, admitted}, content,
        report.warnings, info);
}

std::string to_html(const ClaimReport& report, const PageInfo& info) {
    std::vector<PageFact> facts = {
        {"key images", fmt::format("{} of {}", report.hits, report.key_images)},
        {"controls", fmt::format("{} of {}", report.control_hits, report.controls)},
        {"chance", chance_text(report.chance)},
        {"chance that is enough", chance_text(kMostChance)},
        {"outputs", report.classes == 0 ? "labels" : grouped(report.classes)},
    };
    add_mark(facts, report.mark);
    add_registry(facts, report.registry);
    const auto content =
        facts_html(facts) + fmt::format("<p class=\"legend pad\">{}.</p>\n", escaped(supposition_text(report)));
    return page_html({"Ownership claim", report.target, report.owned ? "Marked model" : "Not shown",
                      report.detail, report.owned},
                     content, report.warnings, info);
}

}  // namespace modelseal::report
