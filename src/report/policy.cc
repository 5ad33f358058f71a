#include "report/policy.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/check/json.h"
#include "util/text.h"

namespace modelseal::report {

using nlohmann::ordered_json;
using util::printable;

std::string_view word(Ruling::Outcome outcome) {
    switch (outcome) {
        case Ruling::Outcome::allow:
            return "allow";
        case Ruling::Outcome::warn:
            return "warn";
        case Ruling::Outcome::quarantine:
            return "quarantine";
        case Ruling::Outcome::deny:
            break;
    }
    return "deny";
}

std::string_view sentence(Ruling::Outcome outcome) {
    switch (outcome) {
        case Ruling::Outcome::allow:
            return "allowed";
        case Ruling::Outcome::warn:
            return "allowed with a warning";
        case Ruling::Outcome::quarantine:
            return "quarantined";
        case Ruling::Outcome::deny:
            break;
    }
    return "denied";
}

Tone tone_of(Ruling::Outcome outcome) {
    return outcome == Ruling::Outcome::allow  ? Tone::good
           : outcome == Ruling::Outcome::warn ? Tone::doubtful
                                              : Tone::bad;
}

std::string_view word(const Ruling::Requirement& requirement) {
    return requirement.holds        ? "holds"
           : requirement.only_warns ? "warns"
           : requirement.failed     ? "unknown"
                                    : "fails";
}

std::string rule_text(const Ruling& ruling) {
    if (ruling.match.empty())
        return fmt::format("no rule for '{}', so [defaults] of {}", ruling.name, ruling.policy);
    return fmt::format("rule '{}' in line {} of {}{}", ruling.match, ruling.line, ruling.policy,
                       ruling.audit ? ", on trial" : "");
}

ordered_json ruling_json(const Ruling& ruling) {
    ordered_json out;
    out["outcome"] = word(ruling.outcome);
    out["file"] = json_text(ruling.policy);
    out["name"] = json_text(ruling.name);
    out["rule"] = ruling.match.empty()
                      ? ordered_json(nullptr)
                      : ordered_json{{"match", json_text(ruling.match)}, {"line", ruling.line}};
    out["audit"] = ruling.audit;
    out["requirements"] = ordered_json::array();
    for (const auto& requirement : ruling.requirements) {
        out["requirements"].push_back({{"what", json_text(requirement.what)},
                                       {"required", json_text(requirement.required)},
                                       {"found", json_text(requirement.found)},
                                       {"holds", requirement.holds},
                                       {"only_warns", requirement.only_warns},
                                       {"checked", !requirement.failed}});
    }
    return out;
}

std::string policy_text(const CheckReport& report, const TextStyle& style) {
    using enum Table::Align;
    const auto& ruling = *report.ruling;
    auto out = paint(style, tone_of(ruling.outcome),
                     fmt::format("{}: {}", printable(report.target), sentence(ruling.outcome))) +
               "\n  " + printable(rule_text(ruling)) + "\n";
    if (ruling.requirements.empty()) return out + "  it requires nothing of this file\n";
    Table table({left, left, left, left});
    table.add({"", "required", "", "found"});
    for (const auto& requirement : ruling.requirements) {
        table.add({printable(requirement.what), printable(requirement.required), std::string(word(requirement)),
                   printable(requirement.found)});
    }
    return out + table.text("    ", style);
}

std::string policy_json(const CheckReport& report) {
    ordered_json out = {{"schema", "modelseal-policy/1"},
                        {"target", json_text(report.target)},
                        {"verdict", word(report.verdict)},
                        {"exit_code", static_cast<int>(report.exit_code)}};
    out.update(ruling_json(*report.ruling));
    return dumped(out);
}

}  // namespace modelseal::report
