#include <nlohmann/json.hpp>

#include "report/report.h"
#include "report/seal_json.h"
#include "report/signature_words.h"
#include "report/words.h"

namespace modelseal {
namespace {

using nlohmann::ordered_json;
using report::json_text;

ordered_json tensor_json(const TensorFinding& tensor) {
    auto changed = ordered_json::array();
    for (const auto& range : tensor.changed)
        changed.push_back({{"first", range.first}, {"count", range.count}});
    ordered_json out;
    out["name"] = json_text(tensor.name);
    out["dtype"] = json_text(tensor.dtype);
    out["shape"] = tensor.shape;
    out["outcome"] = report::word(tensor.outcome);
    out["bit_error_rate"] =
        tensor.bit_error_rate ? ordered_json(*tensor.bit_error_rate) : ordered_json(nullptr);
    out["changed"] = std::move(changed);
    return out;
}

ordered_json stamp_json(const SealFinding& seal) {
    auto out = ordered_json::object();
    for (const auto& [key, value] : seal.stamp) out.emplace(json_text(key), json_text(value));
    return out;
}

}  // namespace

// Keys in the order of the contract; what stands between vendor_key and tensors is an addition to it, and so is
// the frame "not-covered" of a scheme that does not. What a missing seal cannot tell is left out rather than
// made up.
ordered_json report::seal_json(const SealFinding& seal) {
    const bool read =
        seal.outcome == SealFinding::Outcome::intact || seal.outcome == SealFinding::Outcome::tampered;
    ordered_json out;
    out["kind"] = "seal";
    out["outcome"] = report::word(seal.outcome);
    out["detail"] = json_text(seal.detail);
    if (read) {
        out["frame"] = !report::covers_frame(seal) ? "not-covered" : seal.frame_intact ? "intact" : "changed";
        out["bit_error_rate"] = seal.bit_error_rate;
    }
    out["stamp"] = stamp_json(seal);
    out["vendor_key"] = json_text(seal.vendor_key);
    if (read) {
        out["stamp_authentic"] = seal.stamp_authentic;
        out["weights"] = seal.weights_intact ? "intact" : "changed";
    }
    if (!seal.parent.empty()) out["parent"] = json_text(seal.parent);
    if (!seal.frame_detail.empty()) out["frame_detail"] = json_text(seal.frame_detail);
    if (!seal.scheme.empty()) out["scheme"] = json_text(seal.scheme);
    if (!seal.root.empty()) out["root"] = json_text(seal.root);
    if (read) {
        out["tensors_total"] = seal.tensors_total;
        out["bytes_total"] = seal.bytes_total;
    }
    out["tensors"] = ordered_json::array();
    for (const auto& tensor : seal.tensors) out["tensors"].push_back(tensor_json(tensor));
    return out;
}

namespace {

// The kind comes first, then whether it was expected.
ordered_json entry(bool expected, const ordered_json& finding) {
    ordered_json out = {{"kind", finding.at("kind")}, {"expected", expected}};
    for (const auto& [key, value] : finding.items()) out.emplace(key, ordered_json(value));
    return out;
}

ordered_json missing_json(const MissingCheck& missing) {
    return {{"kind", report::word(missing.kind)},
            {"outcome", report::word(missing.outcome)},
            {"detail", json_text(missing.detail)}};
}

ordered_json checks_json(const CheckReport& check) {
    auto out = ordered_json::array();
    const auto& expected = check.expected;
    if (check.seal) out.push_back(entry(expected.seal, report::seal_json(*check.seal)));
    if (check.fingerprint) {
        out.push_back(entry(expected.fingerprint, report::fingerprint_json(*check.fingerprint)));
    }
    if (check.signature) out.push_back(entry(expected.signature, report::signature_json(*check.signature)));
    for (const auto& missing : check.missing) out.push_back(entry(true, missing_json(missing)));
    return out;
}

ordered_json report_json(const CheckReport& check) {
    ordered_json out;
    out["schema"] = "modelseal-check/1";
    out["target"] = json_text(check.target);
    out["verdict"] = report::word(check.verdict);
    out["exit_code"] = static_cast<int>(check.exit_code);
    if (!check.error.empty()) out["error"] = json_text(check.error);
    if (!check.hint.empty()) out["hint"] = json_text(check.hint);
    out["checks"] = checks_json(check);
    out["warnings"] = ordered_json::array();
    for (const auto& warning : check.warnings) out["warnings"].push_back(json_text(warning));
    return out;
}

}  // namespace

std::string to_json(std::span<const CheckReport> reports, bool single) {
    auto all = ordered_json::array();
    for (const auto& check : reports) all.push_back(report_json(check));
    const bool one = single && reports.size() == 1;
    // ensure_ascii: control characters of C1 and text that runs right to left cannot reach a terminal.
    return (one ? all.front() : all).dump(2, ' ', true) + "\n";
}

}  // namespace modelseal
