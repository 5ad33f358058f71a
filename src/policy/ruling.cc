#include "policy/ruling.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "policy/decide.h"
#include "util/text.h"

namespace modelseal::policy {
namespace {

using Outcome = Ruling::Outcome;
using Requirement = Ruling::Requirement;

std::string names_of(const Rule& rule, const std::vector<Vendor>& vendors) {
    std::vector<std::string> names;
    for (const auto i : rule.vendors) names.push_back(util::printable(vendors[i].name));
    constexpr std::size_t kMost = 3;
    if (names.size() > kMost) return fmt::format("one of {} vendors", names.size());
    return fmt::format("{}", fmt::join(names, " or "));
}

const std::string& missing_detail(const CheckReport& report, CheckKind kind) {
    static const std::string unknown = "it was not checked";
    const auto found = std::ranges::find(report.missing, kind, &MissingCheck::kind);
    return found != report.missing.end() ? found->detail : report.error.empty() ? unknown : report.error;
}

// `finding` as it was decided.
template <class Finding>
Requirement made(const char* what, std::string required, const std::optional<Finding>& finding, CheckKind kind,
                 const CheckReport& report) {
    Requirement out{.what = what, .required = std::move(required)};
    if (!finding) {
        out.found = missing_detail(report, kind);
        out.failed = report.exit_code == ExitCode::failed;
        return out;
    }
    const auto verdict = verdict_of(*finding);
    out.holds = verdict == Verdict::intact;
    out.failed = verdict == Verdict::error && report.exit_code == ExitCode::failed;
    out.found = finding->detail;
    return out;
}

// The seal alone, whatever its stamp says: that has requirements of its own.
Requirement seal_requirement(const Rule& rule, const std::vector<Vendor>& vendors, const CheckReport& report) {
    auto out = made("seal", "a seal of " + names_of(rule, vendors), report.seal, CheckKind::seal, report);
    if (report.seal && report.seal->cause == SealFinding::Cause::stamp) {
        const bool passes = rule.terms.weights_only ? report.seal->weights_intact : report.seal->frame_intact;
        out.holds = report.seal->weights_intact && passes;
        out.found = out.holds ? "intact" : "the weights or what is around them changed";
    }
    return out;
}

Requirement stamp_requirement(const CheckReport& report, const std::string& name, const std::string& value,
                              Wanted wanted) {
    const bool exactly = wanted == Wanted::exactly;
    Requirement out{.what = (exactly ? "expect." : "minimum.") + name,
                    .required = exactly ? fmt::format("'{}'", value) : fmt::format("'{}' or later", value)};
    if (!report.seal || report.seal->outcome == SealFinding::Outcome::not_found ||
        report.seal->outcome == SealFinding::Outcome::error) {
        out.found = "no stamp: there is no seal";
        return out;
    }
    out.found = complaint_about(*report.seal, name, value, wanted);
    out.holds = out.found.empty();
    if (!out.holds) return out;
    const auto entry = std::ranges::find(report.seal->stamp, name, [](const auto& pair) { return pair.first; });
    out.found = fmt::format("'{}'", entry->second);
    return out;
}

// Whether the files of the model's folder are what its vendor shipped.
bool covers_files(const CheckReport& report) {
    const bool sealed =
        report.seal && report.seal->outcome == SealFinding::Outcome::intact && report.seal->frame_intact;
    const bool signed_ = report.signature && report.signature->outcome == SignatureFinding::Outcome::valid &&
                         report.signature->unsigned_files == 0;
    return sealed || signed_;
}

void add_closure(const Rule& rule, const CheckReport& report, const Facts& facts, Ruling& out) {
    if (rule.terms.closure == Closure::ignore) return;
    Requirement closure{.what = "closure",
                        .required = "what the configuration pulls in is inside, and sealed or signed",
                        .only_warns = rule.terms.closure == Closure::warn};
    const bool covered = covers_files(report);
    std::vector<std::string> wrong;
    for (const auto& reference : facts.references) {
        if (reference.inside && covered) continue;
        wrong.push_back(fmt::format("{} '{}' ({}) is {}", reference.what, reference.name, reference.named_by,
                                    reference.inside ? "not covered" : "not inside"));
    }
    closure.holds = wrong.empty() && !facts.unknown;
    closure.failed = facts.unknown.has_value();
    closure.found = facts.unknown    ? facts.unknown->message
                    : !wrong.empty() ? fmt::format("{}", fmt::join(wrong, "; "))
                    : facts.references.empty()
                        ? "it pulls in nothing"
                        : util::counted(facts.references.size(), "reference") + ", all inside";
    out.requirements.push_back(std::move(closure));
}

void add_adapters(const Rule& rule, const std::vector<Vendor>& vendors, const Facts& facts, Ruling& out) {
    if (rule.terms.adapters == Adapters::ignore || facts.adapters.empty()) return;
    const bool refused = rule.terms.adapters == Adapters::refuse;
    Requirement adapters{.what = "adapters",
                         .required = refused
                                         ? "none next to the model"
                                         : "each next to the model has a seal of " + names_of(rule, vendors),
                         .holds = !refused};
    std::vector<std::string> found;
    for (const auto& adapter : facts.adapters) {
        const bool holds = adapter.verdict == Verdict::intact;
        adapters.holds = adapters.holds && holds;
        adapters.failed = adapters.failed || adapter.verdict == Verdict::error;
        if (refused) {
            found.push_back(adapter.file);
        } else if (!holds) {
            found.push_back(fmt::format("{}: {}", adapter.file, adapter.detail));
        }
    }
    adapters.found = found.empty() ? util::counted(facts.adapters.size(), "adapter") + ", all intact"
                                   : fmt::format("{}", fmt::join(found, "; "));
    out.requirements.push_back(std::move(adapters));
}

void add_limits(const Terms& terms, const Facts& facts, Ruling& out) {
    if (terms.max_bytes) {
        out.requirements.push_back({.what = "size",
                                    .required = util::counted(*terms.max_bytes, "byte") + " at most",
                                    .found = util::counted(facts.bytes, "byte"),
                                    .holds = facts.bytes <= *terms.max_bytes});
    }
    if (terms.max_seconds) {
        out.requirements.push_back({.what = "time",
                                    .required = util::counted(*terms.max_seconds, "second") + " at most",
                                    .found = facts.too_late ? "not done by then" : "done",
                                    .holds = !facts.too_late,
                                    .failed = facts.too_late});
    }
}

Ruling ruling_of(const Rule& rule) {
    return {.match = rule.match ? rule.match->pattern() : "", .line = rule.place.line, .audit = rule.audit};
}

void conclude(const Terms& terms, Ruling& out) {
    out.outcome = Outcome::allow;
    for (const auto& requirement : out.requirements) {
        if (requirement.holds) continue;
        const bool warns = requirement.only_warns || out.audit;
        out.outcome = std::max(out.outcome, warns ? Outcome::warn : terms.action);
    }
}

}  // namespace

CheckPolicy expectations_of(const Rule& rule) {
    return {.expected = rule.terms.require,
            .stamp = rule.expect,
            .minimum = rule.minimum,
            .weights_only = rule.terms.weights_only};
}

Ruling rule_on(const Rule& rule, const std::vector<Vendor>& vendors, const CheckReport& report,
               const Facts& facts) {
    auto out = ruling_of(rule);
    const auto& [seal, fingerprint, signature] = rule.terms.require;
    if (seal) out.requirements.push_back(seal_requirement(rule, vendors, report));
    if (signature) {
        out.requirements.push_back(made("signature", "a signature of " + names_of(rule, vendors),
                                        report.signature, CheckKind::signature, report));
    }
    if (fingerprint) {
        out.requirements.push_back(
            made("fingerprint", "the answers on record", report.fingerprint, CheckKind::fingerprint, report));
    }
    for (const auto& [name, value] : rule.expect)
        out.requirements.push_back(stamp_requirement(report, name, value, Wanted::exactly));
    for (const auto& [name, value] : rule.minimum)
        out.requirements.push_back(stamp_requirement(report, name, value, Wanted::at_least));
    add_limits(rule.terms, facts, out);
    add_closure(rule, report, facts, out);
    add_adapters(rule, vendors, facts, out);
    conclude(rule.terms, out);
    return out;
}

Ruling rule_on_unknown(const Rule& rule, const std::string& why) {
    auto out = ruling_of(rule);
    if (rule.terms.unknown_files != UnknownFiles::ignore) {
        out.requirements.push_back({.what = "format",
                                    .required = "a model that can be read",
                                    .found = why,
                                    .only_warns = rule.terms.unknown_files == UnknownFiles::warn});
    }
    conclude(rule.terms, out);
    return out;
}

ExitCode exit_code(const Ruling& ruling) {
    if (ruling.outcome <= Outcome::warn) return ExitCode::done;
    // A mismatch outweighs what could not be found out.
    const bool mismatched = std::ranges::any_of(ruling.requirements, [](const Requirement& requirement) {
        return !requirement.holds && !requirement.only_warns && !requirement.failed;
    });
    return mismatched ? ExitCode::mismatch : ExitCode::failed;
}

}  // namespace modelseal::policy
