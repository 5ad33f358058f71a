// SARIF 2.1.0 (OASIS, errata 01). Sections are cited where a property is not self-explaining.
#include <set>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "crypto/hash.h"
#include "report/check/document.h"
#include "report/check/json.h"
#include "report/check/sarif_rules.h"
#include "report/check/seal_section.h"
#include "report/policy.h"
#include "report/report.h"
#include "util/encodings.h"
#include "util/text.h"
#include <modelseal/keys.h>

namespace modelseal::report {
namespace {

using nlohmann::ordered_json;

// 3.9: in UTC, to the millisecond.
std::string time_text(std::chrono::sys_time<std::chrono::milliseconds> time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", seconds, (time - seconds).count());
}

// A path becomes a relative reference, or a file URI if it is absolute; a URL stays one.
std::string uri_of(const std::string& target) {
    if (target.starts_with("http://") || target.starts_with("https://")) {
        return util::percent_encoded(target, "-._~:/?#[]@!$&'()*+,;=%");
    }
    constexpr std::string_view kPath = "-._~/!$&'()*+,;=@";
    for (const std::string_view scheme : {"exec:", "exec+binary:"}) {
        if (target.starts_with(scheme))
            return std::string(scheme) + util::percent_encoded(target.substr(scheme.size()), kPath);
    }
    if (target.starts_with("/")) return "file://" + util::percent_encoded(target, kPath);
    return util::percent_encoded(target, kPath);
}

ordered_json rules_json() {
    auto rules = ordered_json::array();
    for (const auto& rule : kSarifRules) {
        rules.push_back({{"id", rule.id},
                         {"name", rule.name},
                         {"shortDescription", {{"text", rule.text}}},
                         {"help", {{"text", fmt::format("{} modelseal-check(1) has all rules.", rule.text)}}},
                         {"helpUri", "man:modelseal-check(1)"},
                         {"defaultConfiguration", {{"level", rule.level}}}});
    }
    return rules;
}

class Log {
  public:
    void add(const CheckReport& check) {
        failures_.clear();
        artifacts_.push_back({{"location", {{"uri", uri_of(check.target)}}}});
        for (const auto& section : document_of(check).sections) add_section(check, section);
        if (check.ruling) add_ruling(*check.ruling);
        for (const auto& warning : check.warnings) notify("warning", warning);
    }

    ordered_json json(std::string_view version, const PageInfo& info) && {
        ordered_json driver = {{"name", "modelseal"}};
        if (!version.empty()) driver["version"] = version;
        driver["rules"] = rules_json();
        auto invocation = invocation_json(info);
        if (!notifications_.empty()) invocation["toolExecutionNotifications"] = std::move(notifications_);
        ordered_json run;
        run["tool"] = {{"driver", std::move(driver)}};
        run["invocations"] = ordered_json::array({std::move(invocation)});
        run["artifacts"] = std::move(artifacts_);
        for (auto& result : results_) result["partialFingerprints"] = {{"modelseal/1", identity_of(result)}};
        run["results"] = std::move(results_);
        run["columnKind"] = "utf16CodeUnits";
        ordered_json log;
        log["$schema"] =
            "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
        log["version"] = "2.1.0";
        log["runs"] = ordered_json::array({std::move(run)});
        return log;
    }

  private:
    ordered_json invocation_json(const PageInfo& info) {
        for (const auto& problem : info.problems) {
            failed_ = true;
            notifications_.push_back({{"level", "error"}, {"message", {{"text", util::printable(problem)}}}});
        }
        // 3.20.14: false only if something could not be checked; what was found does not matter here.
        ordered_json invocation = {{"executionSuccessful", !failed_}};
        if (info.exit_code) invocation["exitCode"] = static_cast<int>(*info.exit_code);
        if (!info.date) return invocation;
        invocation["startTimeUtc"] = time_text(*info.date);
        if (info.duration) {
            const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(*info.duration);
            invocation["endTimeUtc"] = time_text(*info.date + took);
        }
        return invocation;
    }

    ordered_json physical() const {
        const auto index = artifacts_.size() - 1;
        return {{"artifactLocation", {{"uri", artifacts_[index]["location"]["uri"]}, {"index", index}}}};
    }

    // 3.27.17: the same for the same finding in another run: its rule, its target, and the tensor or file in it.
    static std::string identity_of(const ordered_json& result) {
        const auto& location = result["locations"][0];
        crypto::Sha256 digest;
        digest.update_text(result["ruleId"].get<std::string>() + "\n");
        digest.update_text(location["physicalLocation"]["artifactLocation"]["uri"].get<std::string>() + "\n");
        if (location.contains("logicalLocations"))
            digest.update_text(location["logicalLocations"][0]["name"].get<std::string>());
        if (result.contains("properties") && result["properties"].contains("requirement"))
            digest.update_text(result["properties"]["requirement"].get<std::string>());
        return to_hex(digest.finish()).substr(0, 32);
    }

    ordered_json& add_result(RuleIndex rule, const std::string& message) {
        ordered_json result;
        result["ruleId"] = kSarifRules[rule].id;
        result["ruleIndex"] = static_cast<std::size_t>(rule);
        result["level"] = kSarifRules[rule].level;
        result["message"] = {{"text", util::printable(message)}};
        result["locations"] = ordered_json::array({{{"physicalLocation", physical()}}});
        return results_.emplace_back(std::move(result));
    }

    void notify(std::string_view level, const std::string& message) {
        notifications_.push_back({{"level", level},
                                  {"message", {{"text", util::printable(message)}}},
                                  {"locations", ordered_json::array({{{"physicalLocation", physical()}}})}});
    }

    // Something could not be checked: a result as well, since readers of code scanning show no notifications.
    void fail(const std::string& message, RuleIndex rule) {
        failed_ = true;
        // A model that cannot be opened fails every check with the same message.
        if (!failures_.insert(message).second) return;
        add_result(rule, message);
        notify("error", message);
    }

    static const PartFinding* part_of(const CheckReport& check, CheckKind kind) {
        const auto of = [](const auto& finding) {
            return finding && finding->part ? &*finding->part : nullptr;
        };
        return kind == CheckKind::seal        ? of(check.seal)
               : kind == CheckKind::signature ? of(check.signature)
                                              : nullptr;
    }

    static std::string part_text(const Section& section) {
        auto text = section.verdict;
        for (const auto& row : section.rows) {
            if (row.label == "not checked" || row.label == "proof")
                text += fmt::format("; {}: {}", row.label, row.value);
        }
        return text;
    }

    void add_section(const CheckReport& check, const Section& section) {
        if (!section.failure.empty()) {
            const bool asked = section.kind == CheckKind::fingerprint && section.drawn != nullptr;
            return fail(section.failure, asked ? fingerprint_inconclusive : sarif_rule_of(check.error_kind));
        }
        const auto* part = part_of(check, section.kind);
        if (part != nullptr) {
            // What is wrong with the part comes with the findings below.
            auto& result = add_result(partially_checked, part_text(section));
            result["properties"] = {{"tensors", part->tensors},
                                    {"tensorsTotal", part->tensors_total},
                                    {"patterns", texts(part->patterns)},
                                    {"bits", part->bits},
                                    {"signed", part->is_signed}};
            if (section.tone == Tone::doubtful) return;
        }
        const bool missing = section.tone == Tone::doubtful;
        if (missing) {
            add_result(section.kind == CheckKind::seal          ? seal_not_found
                       : section.kind == CheckKind::fingerprint ? fingerprint_not_found
                                                                : signature_not_found,
                       section.verdict);
        } else if (section.kind == CheckKind::seal) {
            add_seal(*check.seal);
        } else if (section.kind == CheckKind::signature) {
            add_signature(*check.signature, section);
        } else {
            add_fingerprint(*check.fingerprint, section);
        }
    }

    // Of each requirement that does not hold.
    void add_ruling(const Ruling& ruling) {
        for (const auto& requirement : ruling.requirements) {
            if (requirement.holds) continue;
            auto& result =
                add_result(policy_failed, fmt::format("{} by {}: {}: {}", sentence(ruling.outcome),
                                                      rule_text(ruling), requirement.what, requirement.found));
            if (requirement.only_warns || ruling.outcome == Ruling::Outcome::warn) result["level"] = "warning";
            result["properties"] = {{"outcome", word(ruling.outcome)},
                                    {"requirement", json_text(requirement.what)}};
        }
    }

    void add_seal(const SealFinding& seal) {
        using Outcome = SealFinding::Outcome;
        const auto before = results_.size();
        for (const auto& tensor : seal.tensors) {
            if (tensor.outcome != TensorFinding::Outcome::intact) add_tensor(tensor);
        }
        if (!seal.frame_intact) {
            auto& result = add_result(frame_changed, "frame changed: " + frame_text(seal));
            // The caller asked for the weights alone, and they hold.
            if (seal.outcome == Outcome::intact) result["level"] = "note";
        }
        const bool broken = seal.outcome == Outcome::tampered;
        if (broken && seal.cause == SealFinding::Cause::signature) {
            add_result(seal_forged, seal.detail);
        } else if (broken && results_.size() == before) {
            add_result(seal_broken, seal.detail.empty() ? "the seal does not hold" : seal.detail);
        }
        if (!seal.unexpected.empty())
            add_result(stamp_unexpected, fmt::format("{}", fmt::join(seal.unexpected, "; ")));
    }

    void add_fingerprint(const FingerprintFinding& finding, const Section& section) {
        using Outcome = FingerprintFinding::Outcome;
        if (finding.outcome == Outcome::intact) return;
        const bool tampered = finding.outcome == Outcome::tampered;
        auto& result = add_result(tampered ? fingerprint_mismatch : fingerprint_other_runtime, section.verdict);
        const bool pairs = std::holds_alternative<FingerprintFinding::Pairs>(finding.details);
        result["properties"] = {{"method", pairs ? "pairs" : "generator"},
                                {"access", json_text(finding.access)},
                                {"rung", json_text(finding.rung)},
                                {pairs ? "pairs" : "triggers", finding.compared},
                                {"mismatched", finding.mismatched},
                                {"threshold", finding.threshold},
                                {"decidedBy", word(finding.decided_by)},
                                {"reducedPrecisionPossible", finding.reduced_precision_possible}};
        if (finding.false_alarm_bound) result["properties"]["falseAlarmBound"] = *finding.false_alarm_bound;
    }

    void add_signature(const SignatureFinding& finding, const Section& section) {
        if (finding.outcome == SignatureFinding::Outcome::valid) return;
        if (finding.findings.empty()) add_result(signature_invalid, section.verdict);
        for (const auto& file : finding.findings) {
            auto message = fmt::format("file '{}' {}", file.name, word(file.outcome));
            if (!file.detail.empty()) message += ": " + file.detail;
            auto& result = add_result(file_not_as_signed, message);
            result["locations"][0]["logicalLocations"] =
                ordered_json::array({{{"name", json_text(file.name)}, {"kind", "file"}}});
            if (file.tensors.empty()) continue;
            auto& tensors = result["properties"]["tensors"] = ordered_json::array();
            for (const auto& tensor : file.tensors) tensors.push_back(json_text(tensor.name));
        }
    }

    void add_tensor(const TensorFinding& tensor) {
        using Outcome = TensorFinding::Outcome;
        const auto rule = tensor.outcome == Outcome::changed   ? tensor_changed
                          : tensor.outcome == Outcome::missing ? tensor_missing
                                                               : tensor_added;
        const auto ranges = joined(tensor.changed);
        auto message = fmt::format("tensor '{}' {}", tensor.name, word(tensor.outcome));
        if (!ranges.empty()) message += ": elements " + ranges_text(ranges, 200);
        auto& result = add_result(rule, message);
        // 3.33: a tensor is a named place within the file.
        result["locations"][0]["logicalLocations"] =
            ordered_json::array({{{"name", json_text(tensor.name)},
                                  {"fullyQualifiedName", json_text(tensor.name)},
                                  {"kind", "tensor"}}});
        auto changed = ordered_json::array();
        for (const auto& range : ranges) changed.push_back({{"first", range.first}, {"count", range.count}});
        ordered_json properties = {
            {"dtype", json_text(tensor.dtype)}, {"shape", tensor.shape}, {"changed", std::move(changed)}};
        if (tensor.bit_error_rate) properties["bitErrorRate"] = *tensor.bit_error_rate;
        result["properties"] = std::move(properties);
    }

    ordered_json artifacts_ = ordered_json::array();
    ordered_json results_ = ordered_json::array();
    ordered_json notifications_ = ordered_json::array();
    std::set<std::string> failures_;  // of the target that is added
    bool failed_ = false;
};

}  // namespace

std::string to_sarif(std::span<const CheckReport> reports, std::string_view version, const PageInfo& info) {
    Log log;
    for (const auto& check : reports) log.add(check);
    return dumped(std::move(log).json(version, info));
}

}  // namespace modelseal::report
