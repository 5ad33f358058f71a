// SARIF 2.1.0 (OASIS, errata 01). Sections are cited where a property is not self-explaining.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/fingerprint_words.h"
#include "report/report.h"
#include "report/signature_words.h"
#include "report/words.h"
#include "util/encodings.h"
#include "util/text.h"

namespace modelseal {
namespace {

using nlohmann::ordered_json;
using report::json_text;

struct Rule {
    std::string_view id;
    std::string_view name;
    std::string_view text;
    std::string_view level;
};

enum RuleIndex : std::size_t {
    tensor_changed,
    tensor_missing,
    tensor_added,
    frame_changed,
    seal_broken,
    seal_not_found,
    fingerprint_mismatch,
    fingerprint_other_runtime,
    signature_invalid,
    file_not_as_signed
};

constexpr Rule kRules[] = {
    {"tensor-changed", "TensorChanged", "A tensor does not hold what was sealed.", "error"},
    {"tensor-missing", "TensorMissing", "A tensor that was sealed is not there.", "error"},
    {"tensor-added", "TensorAdded", "A tensor is there that was not sealed.", "error"},
    {"frame-changed", "FrameChanged",
     "What surrounds the tensors (names, shapes, graph, code) is not what was sealed.", "error"},
    {"seal-broken", "SealBroken", "The seal is there and does not hold.", "error"},
    {"seal-not-found", "SealNotFound",
     "No seal was found under the given key, or nothing else to check against.", "warning"},
    {"fingerprint-mismatch", "FingerprintMismatch",
     "The model that answers is not the one that the fingerprint was made of.", "error"},
    {"fingerprint-other-runtime", "FingerprintOtherRuntime",
     "Another runtime answers than the one that the fingerprint was made on.", "note"},
    {"signature-invalid", "SignatureInvalid", "The signature is forged, by another key, or of other files.",
     "error"},
    {"file-not-as-signed", "FileNotAsSigned",
     "A file was changed, removed or added since the model was signed.", "error"},
};

// A path becomes a relative reference, or a file URI if it is absolute; a URL stays one.
std::string uri_of(const std::string& target) {
    if (target.starts_with("http://") || target.starts_with("https://")) {
        return util::percent_encoded(target, "-._~:/?#[]@!$&'()*+,;=%");
    }
    constexpr std::string_view kPath = "-._~/!$&'()*+,;=@";
    if (target.starts_with("exec:")) return "exec:" + util::percent_encoded(target.substr(5), kPath);
    if (target.starts_with("/")) return "file://" + util::percent_encoded(target, kPath);
    return util::percent_encoded(target, kPath);
}

ordered_json rules_json() {
    auto rules = ordered_json::array();
    for (const auto& rule : kRules) {
        rules.push_back({{"id", rule.id},
                         {"name", rule.name},
                         {"shortDescription", {{"text", rule.text}}},
                         {"defaultConfiguration", {{"level", rule.level}}}});
    }
    return rules;
}

class Log {
  public:
    void add(const CheckReport& check) {
        artifacts_.push_back({{"location", {{"uri", uri_of(check.target)}}}});
        if (check.seal) add_seal(*check.seal);
        if (check.signature) add_signature(*check.signature);
        if (check.fingerprint) add_fingerprint(*check.fingerprint);
        for (const auto& missing : check.missing) add_result(seal_not_found, report::missing_text(missing));
        if (report::is_failure(check)) fail(check.error.empty() ? "not checked" : check.error);
        for (const auto& warning : check.warnings) notify("warning", warning);
    }

    ordered_json json(std::string_view version) && {
        ordered_json driver = {{"name", "modelseal"}};
        if (!version.empty()) driver["version"] = version;
        driver["rules"] = rules_json();
        // 3.20.14: false only if something could not be checked; what was found does not matter here.
        ordered_json invocation = {{"executionSuccessful", !failed_}};
        if (!notifications_.empty()) invocation["toolExecutionNotifications"] = std::move(notifications_);
        ordered_json run;
        run["tool"] = {{"driver", std::move(driver)}};
        run["invocations"] = ordered_json::array({std::move(invocation)});
        run["artifacts"] = std::move(artifacts_);
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
    ordered_json physical() const {
        const auto index = artifacts_.size() - 1;
        return {{"artifactLocation", {{"uri", artifacts_[index]["location"]["uri"]}, {"index", index}}}};
    }

    ordered_json& add_result(RuleIndex rule, const std::string& message) {
        ordered_json result;
        result["ruleId"] = kRules[rule].id;
        result["ruleIndex"] = static_cast<std::size_t>(rule);
        result["level"] = kRules[rule].level;
        result["message"] = {{"text", json_text(message)}};
        result["locations"] = ordered_json::array({{{"physicalLocation", physical()}}});
        return results_.emplace_back(std::move(result));
    }

    void notify(std::string_view level, const std::string& message) {
        notifications_.push_back({{"level", level},
                                  {"message", {{"text", json_text(message)}}},
                                  {"locations", ordered_json::array({{{"physicalLocation", physical()}}})}});
    }

    // Something could not be checked.
    void fail(const std::string& message) {
        failed_ = true;
        notify("error", message);
    }

    void add_seal(const SealFinding& seal) {
        using Outcome = SealFinding::Outcome;
        if (seal.outcome == Outcome::error) return fail(seal.detail);
        if (seal.outcome == Outcome::not_found) {
            add_result(seal_not_found, seal.detail.empty() ? "no seal found under this key" : seal.detail);
            return;
        }
        const auto before = results_.size();
        for (const auto& tensor : seal.tensors) {
            if (tensor.outcome != TensorFinding::Outcome::intact) add_tensor(tensor);
        }
        if (!seal.frame_intact) {
            const auto what = seal.frame_detail.empty() ? std::string("names, shapes, graph or code changed")
                                                        : seal.frame_detail;
            auto& result = add_result(frame_changed, "frame: " + what);
            // The caller asked for the weights alone, and they hold.
            if (seal.outcome == Outcome::intact) result["level"] = "note";
        }
        if (seal.outcome == Outcome::tampered && results_.size() == before) {
            add_result(seal_broken, seal.detail.empty() ? "the seal does not hold" : seal.detail);
        }
    }

    void add_fingerprint(const FingerprintFinding& finding) {
        using Outcome = FingerprintFinding::Outcome;
        if (finding.outcome == Outcome::error || finding.outcome == Outcome::inconclusive) {
            fail(finding.detail.empty() ? std::string("the fingerprint was not checked") : finding.detail);
        }
        if (finding.outcome != Outcome::tampered && finding.outcome != Outcome::other_runtime) return;
        const bool tampered = finding.outcome == Outcome::tampered;
        auto& result = add_result(tampered ? fingerprint_mismatch : fingerprint_other_runtime,
                                  tampered ? report::pairs_text(finding) : report::runtime_text(finding));
        result["properties"] = {{"access", json_text(finding.access)},
                                {"rung", json_text(finding.rung)},
                                {"pairs", finding.pairs},
                                {"mismatched", finding.mismatched},
                                {"threshold", finding.threshold},
                                {"falseAlarmBound", finding.false_alarm_bound}};
    }

    void add_signature(const SignatureFinding& finding) {
        using Outcome = SignatureFinding::Outcome;
        if (finding.outcome == Outcome::error) return fail(report::signature_headline(finding));
        if (finding.outcome == Outcome::valid) return;
        if (finding.findings.empty()) add_result(signature_invalid, report::signature_headline(finding));
        for (const auto& file : finding.findings) {
            auto message = fmt::format("file '{}' {}", util::printable(file.name), report::word(file.outcome));
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
        const auto ranges = report::joined(tensor.changed);
        auto message =
            fmt::format("tensor '{}' {}", util::printable(tensor.name), report::word(tensor.outcome));
        if (!ranges.empty()) message += ": elements " + report::ranges_text(ranges, 200);
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
    bool failed_ = false;
};

}  // namespace

std::string to_sarif(std::span<const CheckReport> reports, std::string_view version) {
    Log log;
    for (const auto& check : reports) log.add(check);
    return std::move(log).json(version).dump(2, ' ', true) + "\n";
}

}  // namespace modelseal
