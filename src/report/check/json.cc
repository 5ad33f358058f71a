#include "report/check/json.h"

#include <cmath>

#include "report/check/part.h"
#include "report/check/seal_section.h"
#include "report/policy.h"
#include "report/words.h"

namespace modelseal::report {
namespace {

using nlohmann::ordered_json;

ordered_json tensor_json(const TensorFinding& tensor) {
    auto changed = ordered_json::array();
    for (const auto& range : tensor.changed)
        changed.push_back({{"first", range.first}, {"count", range.count}});
    ordered_json out;
    out["name"] = json_text(tensor.name);
    out["dtype"] = json_text(tensor.dtype);
    out["shape"] = tensor.shape;
    out["outcome"] = word(tensor.outcome);
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

ordered_json signed_tensor_json(const TensorFinding& tensor) {
    return {{"name", json_text(tensor.name)}, {"outcome", word(tensor.outcome)}};
}

ordered_json file_json(const FileFinding& file) {
    ordered_json out = {{"name", json_text(file.name)}, {"outcome", word(file.outcome)}};
    if (!file.detail.empty()) out["detail"] = json_text(file.detail);
    if (file.tensors.empty()) return out;
    auto& list = out["tensors"] = ordered_json::array();
    for (const auto& tensor : file.tensors) list.push_back(signed_tensor_json(tensor));
    return out;
}

// The kind comes first, then whether it was expected.
ordered_json entry(bool expected, const ordered_json& finding) {
    ordered_json out = {{"kind", finding.at("kind")}, {"expected", expected}};
    for (const auto& [key, value] : finding.items()) out.emplace(key, ordered_json(value));
    return out;
}

ordered_json missing_json(const MissingCheck& missing) {
    ordered_json out = {{"kind", word(missing.kind)},
                        {"outcome", word(missing.outcome)},
                        {"detail", json_text(missing.detail)}};
    if (!missing.hint.empty()) out["hint"] = json_text(missing.hint);
    return out;
}

ordered_json checks_json(const CheckReport& check) {
    auto out = ordered_json::array();
    const auto& expected = check.expected;
    if (check.seal) out.push_back(entry(expected.seal, seal_json(*check.seal)));
    if (check.fingerprint) {
        out.push_back(entry(expected.fingerprint, fingerprint_json(*check.fingerprint)));
    }
    if (check.signature) out.push_back(entry(expected.signature, signature_json(*check.signature)));
    for (const auto& missing : check.missing) out.push_back(entry(true, missing_json(missing)));
    return out;
}

ordered_json report_json(const CheckReport& check) {
    ordered_json out;
    out["schema"] = "modelseal-check/1";
    out["target"] = json_text(check.target);
    out["verdict"] = word(check.verdict);
    out["exit_code"] = static_cast<int>(check.exit_code);
    if (!check.error.empty()) {
        out["error"] = json_text(check.error);
        out["error_code"] = word(check.error_kind);
    }
    if (!check.hint.empty()) out["hint"] = json_text(check.hint);
    out["checks"] = checks_json(check);
    out["warnings"] = ordered_json::array();
    for (const auto& warning : check.warnings) out["warnings"].push_back(json_text(warning));
    if (check.ruling) out["policy"] = ruling_json(*check.ruling);
    return out;
}

}  // namespace

// Keys in the order of the contract; what stands between vendor_key and tensors is an addition to it, and so is
// the frame "not-covered" of a scheme that does not. What a missing seal cannot tell is left out rather than
// made up.
ordered_json seal_json(const SealFinding& seal) {
    const bool read = was_read(seal);
    ordered_json out;
    out["kind"] = "seal";
    out["outcome"] = word(seal.outcome);
    out["detail"] = json_text(seal.detail);
    if (seal.cause != SealFinding::Cause::none) out["cause"] = word(seal.cause);
    if (!seal.hint.empty()) out["hint"] = json_text(seal.hint);
    if (seal.part) out["partial"] = part_json(*seal.part);
    if (read && !seal.part) {
        out["frame"] = !covers_frame(seal) ? "not-covered" : seal.frame_intact ? "intact" : "changed";
        out["bit_error_rate"] = seal.bit_error_rate;
    }
    out["stamp"] = stamp_json(seal);
    out["vendor_key"] = json_text(seal.vendor_key);
    if (read || seal.part) out["stamp_authentic"] = seal.stamp_authentic;
    if (read && !seal.part) {
        out["weights"] = seal.weights_intact ? "intact" : "changed";
    }
    if (!seal.unexpected.empty()) out["unexpected"] = texts(seal.unexpected);
    if (!seal.parent.empty()) out["parent"] = json_text(seal.parent);
    if (const auto frame = frame_text(seal); !frame.empty()) out["frame_detail"] = json_text(frame);
    if (!seal.names_detail.empty()) out["names_detail"] = json_text(seal.names_detail);
    if (!seal.scheme.empty()) out["scheme"] = json_text(seal.scheme);
    if (!seal.root.empty()) out["root"] = json_text(seal.root);
    if (read && !seal.part) {
        out["tensors_total"] = seal.tensors_total;
        out["bytes_total"] = seal.bytes_total;
    }
    for (const auto& file : seal.files) out["files"].push_back(file_json(file));
    if (seal.files_missing > 0) out["files_missing"] = seal.files_missing;
    if (seal.unknown_blocks > 0) out["unknown_blocks"] = seal.unknown_blocks;
    out["tensors"] = ordered_json::array();
    for (const auto& tensor : seal.tensors) out["tensors"].push_back(tensor_json(tensor));
    return out;
}

// Keys of the contract first, in its order; the others are additions to it.
ordered_json fingerprint_json(const FingerprintFinding& finding) {
    ordered_json out;
    out["kind"] = "fingerprint";
    out["outcome"] = word(finding.outcome);
    const auto* pairs = std::get_if<FingerprintFinding::Pairs>(&finding.details);
    const char* unit = pairs != nullptr ? "pairs" : "triggers";
    out["method"] = pairs != nullptr ? "pairs" : "generator";
    out["access"] = json_text(finding.access);
    out[unit] = finding.compared;
    out["mismatched"] = finding.mismatched;
    out["threshold"] = finding.threshold;
    out["false_alarm_bound"] = finding.false_alarm_bound ? ordered_json(*finding.false_alarm_bound) : nullptr;
    if (const auto* triggers = std::get_if<FingerprintFinding::Triggers>(&finding.details)) {
        out["acc_tri"] = {{"count", triggers->count}, {"matched", triggers->matched}};
    }
    out["rungs"] = ordered_json::array();
    for (std::size_t i = 0; i < finding.rungs.size(); ++i) {
        const auto& rung = finding.rungs[i];
        ordered_json row = {{"name", json_text(rung.name)},
                            {unit, rung.compared + rung.untold},
                            {"told", rung.compared},
                            {"mismatched", rung.mismatched}};
        if (pairs != nullptr && i < pairs->rungs.size()) row["flipped"] = pairs->rungs[i].flipped;
        row["untold"] = rung.untold;
        row["noise"] = rung.noise;
        row["scale"] = rung.scale;
        row["floor"] = rung.floor;
        out["rungs"].push_back(std::move(row));
    }
    out["detail"] = json_text(finding.detail);
    if (!finding.hint.empty()) out["hint"] = json_text(finding.hint);
    out["rung"] = json_text(finding.rung);
    if (!finding.arithmetic.empty()) out["arithmetic"] = json_text(finding.arithmetic);
    if (finding.decided_by != FingerprintFinding::Decision::none) out["decided_by"] = word(finding.decided_by);
    if (finding.headroom > 0) out["headroom"] = finding.headroom;
    if (finding.runtimes_tried > 0) {
        out["runtimes_tried"] = finding.runtimes_tried;
        out["evaluations_tried"] = finding.evaluations_tried;
    }
    if (finding.reduced_precision_possible) out["reduced_precision_possible"] = true;
    if (finding.shifts) {
        out["shifts"] = {{"compared", finding.shifts->compared},
                         {"factor", finding.shifts->factor},
                         {"moved", finding.shifts->moved},
                         {"threshold", finding.shifts->threshold}};
    }
    if (finding.coverage) {
        out["coverage"] = {{"change", finding.coverage->change},
                           {"weights", finding.coverage->weights},
                           {"noticed", finding.coverage->noticed}};
    }
    if (finding.shift) out["shift"] = *finding.shift;
    if (finding.drift) out["drift"] = *finding.drift;
    if (finding.most_drift > 0) out["drift_threshold"] = finding.most_drift;
    if (finding.rounding > 0) out["rounding"] = finding.rounding;
    if (finding.jitter > 0 && std::isfinite(finding.jitter)) out["jitter"] = finding.jitter;
    out["queries"] = finding.queries;
    const std::pair<const char*, const std::string*> texts[] = {{"id", &finding.id},
                                                                {"model", &finding.model},
                                                                {"root", &finding.root},
                                                                {"customer", &finding.customer},
                                                                {"vendor_key", &finding.vendor_key},
                                                                {"created", &finding.created},
                                                                {"expires", &finding.expires}};
    for (const auto& [key, text] : texts) {
        if (!text->empty()) out[key] = json_text(*text);
    }
    return out;
}

ordered_json signature_json(const SignatureFinding& signature) {
    ordered_json out = {
        {"kind", "signature"}, {"outcome", word(signature.outcome)}, {"detail", json_text(signature.detail)}};
    const auto add = [&](const char* key, const std::string& value) {
        if (!value.empty()) out[key] = json_text(value);
    };
    add("hint", signature.hint);
    if (signature.part) out["partial"] = part_json(*signature.part);
    add("method", signature.method);
    add("signer", signature.signer);
    add("timestamp", signature.timestamp);
    add("model", signature.model);
    add("root", signature.root);
    add("serialization", signature.serialization);
    add("hash", signature.hash);
    add("seal_root", signature.seal_root);
    add("fingerprint", signature.fingerprint);
    out["files_compared"] = signature.files;
    out["bytes_compared"] = signature.bytes;
    out["unsigned_ignored"] = signature.unsigned_files;
    auto& files = out["files"] = ordered_json::array();
    for (const auto& file : signature.findings) files.push_back(file_json(file));
    return out;
}

ordered_json texts(const std::vector<std::string>& lines) {
    auto out = ordered_json::array();
    for (const auto& line : lines) out.push_back(json_text(line));
    return out;
}

std::string dumped(const ordered_json& json) {
    return json.dump(2, ' ', true) + "\n";
}

std::string to_json_line(const CheckReport& report, Source source) {
    auto line = report_json(report);
    if (source == Source::cache) line["cached"] = true;
    return line.dump(-1, ' ', true) + "\n";
}

std::string to_json(std::span<const CheckReport> reports, bool single) {
    auto all = ordered_json::array();
    for (const auto& check : reports) all.push_back(report_json(check));
    const bool one = single && reports.size() == 1;
    return dumped(one ? all.front() : all);
}

}  // namespace modelseal::report
