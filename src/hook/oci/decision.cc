#include "hook/oci/decision.h"

#include <algorithm>
#include <array>
#include <optional>

#include <nlohmann/json.hpp>

#include "hook/oci/json_fields.h"
#include "report/policy.h"
#include "util/error.h"

namespace modelseal::hook {
namespace {

constexpr std::array kOutcomes{Ruling::Outcome::allow, Ruling::Outcome::warn, Ruling::Outcome::quarantine,
                               Ruling::Outcome::deny};
constexpr std::array<std::string_view, 3> kSubjects{"files", "index", "gone"};

// A message may quote what somebody else wrote.
constexpr std::size_t kMostReason = 16u << 10;

// Cut between characters, if it is UTF-8.
std::string_view kept_part(std::string_view reason) {
    auto end = std::min(reason.size(), kMostReason);
    while (end > 0 && end < reason.size() && (static_cast<unsigned char>(reason[end]) & 0xC0) == 0x80) --end;
    return reason.substr(0, end);
}

}  // namespace

std::string Decision::to_text() const {
    using nlohmann::json;
    return json{{"subject", kSubjects.at(static_cast<std::size_t>(subject))},
                {"outcome", report::word(outcome)},
                {"verdict", verdict},
                {"name", name},
                {"reason", kept_part(reason)},
                {"report", report},
                {"time", time},
                {"media_type", media_type},
                {"size", size},
                {"action", action}}
        .dump(-1, ' ', true, json::error_handler_t::replace);
}

Result<Decision> Decision::from_text(std::string_view text) {
    MODELSEAL_TRY_ASSIGN(const auto object, parse_json_object(text, "decision in the queue"));
    const auto subject = std::ranges::find(kSubjects, text_field(object, "subject"));
    const auto outcome = std::ranges::find(kOutcomes, text_field(object, "outcome"),
                                           [](Ruling::Outcome one) { return report::word(one); });
    if (subject == kSubjects.end() || outcome == kOutcomes.end())
        return util::malformed("decision in the queue", "not as it was written");
    return Decision{.subject = static_cast<Subject>(subject - kSubjects.begin()),
                    .outcome = *outcome,
                    .verdict = text_field(object, "verdict"),
                    .name = text_field(object, "name"),
                    .reason = text_field(object, "reason"),
                    .report = text_field(object, "report"),
                    .time = text_field(object, "time"),
                    .media_type = text_field(object, "media_type"),
                    .size = object.value("size", std::uint64_t{0}),
                    .action = text_field(object, "action")};
}

AuditEntry audit_entry_of(const Job& job, const Decision& decision) {
    return {.id = job.audit_id(),
            .hook = "oci",
            .repository = job.repository,
            .reference = job.tag,
            .digest = job.digest,
            .name = decision.name,
            .outcome = std::string(
                decision.subject == Decision::Subject::gone ? "error" : report::word(decision.outcome)),
            .verdict = decision.verdict,
            .reason = decision.reason,
            .action = decision.action};
}

}  // namespace modelseal::hook
