#include "report/check/read.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/check/members.h"
#include "report/policy.h"
#include "report/words.h"

namespace modelseal::report {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostDimensions = 64;
constexpr std::size_t kMostMembers = 1400;  // of an object: more than the 4,096 bytes of a stamp have room for

constexpr std::array kVerdicts = {Verdict::intact,   Verdict::tampered, Verdict::unexpected,
                                  Verdict::unsealed, Verdict::error,    Verdict::partial};
constexpr std::array kKinds = {CheckKind::seal, CheckKind::fingerprint, CheckKind::signature};
constexpr std::array kErrorKinds = {ErrorKind::usage,       ErrorKind::unreadable, ErrorKind::malformed,
                                    ErrorKind::unsupported, ErrorKind::mismatch,   ErrorKind::internal};
constexpr std::array kSealOutcomes = {SealFinding::Outcome::intact,     SealFinding::Outcome::tampered,
                                      SealFinding::Outcome::unexpected, SealFinding::Outcome::not_found,
                                      SealFinding::Outcome::error,      SealFinding::Outcome::partial};
constexpr std::array kSealCauses = {
    SealFinding::Cause::none,        SealFinding::Cause::lost_manifest, SealFinding::Cause::signature,
    SealFinding::Cause::added_files, SealFinding::Cause::tensor_list,   SealFinding::Cause::weights,
    SealFinding::Cause::names,       SealFinding::Cause::frame,         SealFinding::Cause::stamp};
constexpr std::array kTensorOutcomes = {TensorFinding::Outcome::intact, TensorFinding::Outcome::changed,
                                        TensorFinding::Outcome::missing, TensorFinding::Outcome::added};
constexpr std::array kFileOutcomes = {FileFinding::Outcome::changed, FileFinding::Outcome::missing,
                                      FileFinding::Outcome::added};
constexpr std::array kFingerprintOutcomes = {
    FingerprintFinding::Outcome::intact, FingerprintFinding::Outcome::other_runtime,
    FingerprintFinding::Outcome::tampered, FingerprintFinding::Outcome::inconclusive,
    FingerprintFinding::Outcome::error};
constexpr std::array kDecisions = {FingerprintFinding::Decision::flips, FingerprintFinding::Decision::shifts,
                                   FingerprintFinding::Decision::drift, FingerprintFinding::Decision::exact};
constexpr std::array kSignatureOutcomes = {SignatureFinding::Outcome::valid, SignatureFinding::Outcome::invalid,
                                           SignatureFinding::Outcome::error,
                                           SignatureFinding::Outcome::partial};
constexpr std::array kMissingOutcomes = {MissingCheck::Outcome::not_found, MissingCheck::Outcome::not_run};
constexpr std::array kRulings = {Ruling::Outcome::allow, Ruling::Outcome::warn, Ruling::Outcome::quarantine,
                                 Ruling::Outcome::deny};

TensorFinding tensor_in(const ordered_json& json, std::string& wrong) {
    Members members(json, wrong);
    TensorFinding tensor;
    members.read("name", tensor.name);
    members.read("dtype", tensor.dtype);
    members.each("shape", [&](const ordered_json& extent) {
        if (!extent.is_number_unsigned() || tensor.shape.size() == kMostDimensions)
            return members.complain("shape");
        tensor.shape.push_back(extent.get<std::uint64_t>());
    });
    members.read("outcome", tensor.outcome, kTensorOutcomes);
    members.read("bit_error_rate", tensor.bit_error_rate);
    members.each("changed", [&](const ordered_json& one) {
        Members range(one, wrong);
        auto& added = tensor.changed.emplace_back();
        range.read("first", added.first);
        range.read("count", added.count);
    });
    return tensor;
}

FileFinding file_in(const ordered_json& json, std::string& wrong) {
    Members members(json, wrong);
    FileFinding file;
    members.read("name", file.name);
    members.read("outcome", file.outcome, kFileOutcomes);
    members.read("detail", file.detail);
    members.each("tensors",
                 [&](const ordered_json& tensor) { file.tensors.push_back(tensor_in(tensor, wrong)); });
    return file;
}

void read_stamp(Members& members, SealFinding& seal) {
    const auto* stamp = members.find("stamp");
    if (stamp == nullptr) return;
    if (!stamp->is_object()) return members.complain("stamp");
    for (const auto& [key, value] : stamp->items()) {
        if (!value.is_string()) return members.complain("stamp");
        seal.stamp.emplace_back(key, value.get<std::string>());
    }
}

std::optional<PartFinding> part_in(Members& members) {
    const auto* found = members.find("partial");
    if (found == nullptr) return std::nullopt;
    Members part(*found, members.wrong());
    PartFinding out;
    std::uint64_t bits = 0;
    part.read("patterns", out.patterns);
    part.read("tensors", out.tensors);
    part.read("tensors_total", out.tensors_total);
    part.read("bytes", out.bytes);
    part.read("bytes_total", out.bytes_total);
    part.read("bits", bits);
    part.read("signed", out.is_signed);
    if (bits > 256) part.complain("bits");
    out.bits = static_cast<unsigned>(std::min<std::uint64_t>(bits, 256));
    return out;
}

SealFinding seal_in(Members& members) {
    SealFinding seal;
    seal.part = part_in(members);
    members.read("outcome", seal.outcome, kSealOutcomes);
    members.read("cause", seal.cause, kSealCauses);
    members.read("detail", seal.detail);
    members.read("hint", seal.hint);
    members.read("scheme", seal.scheme);
    std::string frame, weights;
    members.read("frame", frame);
    members.read("weights", weights);
    seal.frame_intact = frame != "changed";
    seal.weights_intact = weights != "changed";
    members.read("frame_detail", seal.frame_detail);
    members.read("names_detail", seal.names_detail);
    members.read("bit_error_rate", seal.bit_error_rate);
    read_stamp(members, seal);
    members.read("stamp_authentic", seal.stamp_authentic);
    members.read("unexpected", seal.unexpected);
    members.read("vendor_key", seal.vendor_key);
    members.read("parent", seal.parent);
    members.read("root", seal.root);
    members.read("tensors_total", seal.tensors_total);
    members.read("bytes_total", seal.bytes_total);
    members.read("files_missing", seal.files_missing);
    members.read("unknown_blocks", seal.unknown_blocks);
    members.each("files",
                 [&](const ordered_json& file) { seal.files.push_back(file_in(file, members.wrong())); });
    members.each("tensors", [&](const ordered_json& tensor) {
        seal.tensors.push_back(tensor_in(tensor, members.wrong()));
    });
    return seal;
}

void read_rungs(Members& members, FingerprintFinding& finding, const char* unit) {
    auto* pairs = std::get_if<FingerprintFinding::Pairs>(&finding.details);
    members.each("rungs", [&](const ordered_json& json) {
        Members row(json, members.wrong());
        auto& rung = finding.rungs.emplace_back();
        row.read("name", rung.name);
        row.read("told", rung.compared);
        row.read("mismatched", rung.mismatched);
        row.read("untold", rung.untold);
        row.read("noise", rung.noise);
        row.read("scale", rung.scale);
        row.read("floor", rung.floor);
        if (!row.has(unit)) row.complain(unit);
        if (pairs != nullptr) row.read("flipped", pairs->rungs.emplace_back().flipped);
    });
}

FingerprintFinding fingerprint_in(Members& members) {
    FingerprintFinding finding;
    members.read("outcome", finding.outcome, kFingerprintOutcomes);
    std::string method = "pairs";
    members.read("method", method);
    const bool pairs = method == "pairs";
    if (!pairs) {
        if (method != "generator") members.complain("method");
        auto& triggers = finding.details.emplace<FingerprintFinding::Triggers>();
        if (const auto* accuracy = members.find("acc_tri")) {
            Members counts(*accuracy, members.wrong());
            counts.read("count", triggers.count);
            counts.read("matched", triggers.matched);
        }
    }
    const char* unit = pairs ? "pairs" : "triggers";
    members.read(unit, finding.compared);
    members.read("mismatched", finding.mismatched);
    members.read("threshold", finding.threshold);
    finding.false_alarm_bound.reset();
    members.read("false_alarm_bound", finding.false_alarm_bound);
    read_rungs(members, finding, unit);
    if (const auto* json = members.find("shifts")) {
        Members shifts(*json, members.wrong());
        auto& read = finding.shifts.emplace();
        shifts.read("compared", read.compared);
        shifts.read("factor", read.factor);
        shifts.read("moved", read.moved);
        shifts.read("threshold", read.threshold);
    }
    if (const auto* json = members.find("coverage")) {
        Members covered(*json, members.wrong());
        auto& read = finding.coverage.emplace();
        covered.read("change", read.change);
        covered.read("weights", read.weights);
        covered.read("noticed", read.noticed);
    }
    members.read("shift", finding.shift);
    members.read("drift", finding.drift);
    members.read("drift_threshold", finding.most_drift);
    members.read("arithmetic", finding.arithmetic);
    members.read("decided_by", finding.decided_by, kDecisions);
    members.read("headroom", finding.headroom);
    members.read("runtimes_tried", finding.runtimes_tried);
    members.read("evaluations_tried", finding.evaluations_tried);
    members.read("reduced_precision_possible", finding.reduced_precision_possible);
    members.read("rounding", finding.rounding);
    members.read("jitter", finding.jitter);
    members.read("queries", finding.queries);
    for (auto [key, text] : {std::pair{"access", &finding.access},
                             {"detail", &finding.detail},
                             {"hint", &finding.hint},
                             {"rung", &finding.rung},
                             {"id", &finding.id},
                             {"model", &finding.model},
                             {"root", &finding.root},
                             {"customer", &finding.customer},
                             {"vendor_key", &finding.vendor_key},
                             {"created", &finding.created},
                             {"expires", &finding.expires}})
        members.read(key, *text);
    return finding;
}

SignatureFinding signature_in(Members& members) {
    SignatureFinding finding;
    finding.part = part_in(members);
    members.read("outcome", finding.outcome, kSignatureOutcomes);
    for (auto [key, text] : {std::pair{"detail", &finding.detail},
                             {"hint", &finding.hint},
                             {"method", &finding.method},
                             {"signer", &finding.signer},
                             {"timestamp", &finding.timestamp},
                             {"model", &finding.model},
                             {"root", &finding.root},
                             {"serialization", &finding.serialization},
                             {"hash", &finding.hash},
                             {"seal_root", &finding.seal_root},
                             {"fingerprint", &finding.fingerprint}})
        members.read(key, *text);
    members.read("files_compared", finding.files);
    members.read("bytes_compared", finding.bytes);
    members.read("unsigned_ignored", finding.unsigned_files);
    members.each("files",
                 [&](const ordered_json& file) { finding.findings.push_back(file_in(file, members.wrong())); });
    return finding;
}

// Of what was made, the JSON has more than of what was not.
bool was_made(const Members& check, CheckKind kind) {
    switch (kind) {
        case CheckKind::seal:
            return check.has("tensors");
        case CheckKind::fingerprint:
            return check.has("method");
        case CheckKind::signature:
            break;
    }
    return check.has("files");
}

void read_check(const ordered_json& json, CheckReport& report, std::string& wrong) {
    Members check(json, wrong);
    CheckKind kind = CheckKind::seal;
    if (!check.has("kind")) return check.complain("kind");
    check.read("kind", kind, kKinds);
    bool expected = false;
    check.read("expected", expected);
    auto& flag = kind == CheckKind::seal          ? report.expected.seal
                 : kind == CheckKind::fingerprint ? report.expected.fingerprint
                                                  : report.expected.signature;
    flag |= expected;
    if (!was_made(check, kind)) {
        auto& missing = report.missing.emplace_back();
        missing.kind = kind;
        check.read("outcome", missing.outcome, kMissingOutcomes);
        check.read("detail", missing.detail);
        check.read("hint", missing.hint);
    } else if (kind == CheckKind::seal) {
        report.seal = seal_in(check);
    } else if (kind == CheckKind::fingerprint) {
        report.fingerprint = fingerprint_in(check);
    } else {
        report.signature = signature_in(check);
    }
}

Ruling ruling_in(const ordered_json& json, std::string& wrong) {
    Members members(json, wrong);
    Ruling ruling;
    if (!members.has("outcome")) members.complain("outcome");
    members.read("outcome", ruling.outcome, kRulings);
    members.read("file", ruling.policy);
    members.read("name", ruling.name);
    members.read("audit", ruling.audit);
    if (const auto* found = members.find("rule")) {
        Members rule(*found, wrong);
        std::uint64_t line = 0;
        rule.read("match", ruling.match);
        rule.read("line", line);
        ruling.line = static_cast<std::uint32_t>(std::min<std::uint64_t>(line, UINT32_MAX));
    }
    members.each("requirements", [&](const ordered_json& one) {
        Members row(one, wrong);
        auto& requirement = ruling.requirements.emplace_back();
        bool checked = true;
        row.read("what", requirement.what);
        row.read("required", requirement.required);
        row.read("found", requirement.found);
        row.read("holds", requirement.holds);
        row.read("only_warns", requirement.only_warns);
        row.read("checked", checked);
        requirement.failed = !checked;
    });
    return ruling;
}

// Stops at an object with more members than a result has.
struct MemberCount final : nlohmann::json_sax<ordered_json> {
    std::vector<std::size_t> open;  // members so far of the objects that are open
    bool too_many = false;

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override {
        open.push_back(0);
        return true;
    }
    bool key(string_t&) override {
        too_many = ++open.back() > kMostMembers;
        return !too_many;
    }
    bool end_object() override {
        open.pop_back();
        return true;
    }
    bool start_array(std::size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
        return false;
    }
};

// Of a stamp the order counts, and an object that keeps it looks for each key from the front: it must not be long. (A filter
// of the parser's own goes through a whole list at each of its objects.)
ordered_json parsed(std::string_view text, std::string& wrong) {
    MemberCount count;
    if (ordered_json::sax_parse(text, &count)) return ordered_json::parse(text, nullptr, false);
    if (count.too_many) wrong = "the number of members";
    return {};
}

}  // namespace

Result<CheckReport> read_report(std::string_view text) {
    const auto malformed = [](const std::string& what) {
        return Error{ErrorKind::malformed, "is not the result of a check: " + what, {}};
    };
    std::string wrong;
    const auto json = parsed(text, wrong);
    if (!wrong.empty()) return malformed(wrong + " is not as it should be");
    if (!json.is_object()) return malformed("not an object of JSON");
    Members members(json, wrong);
    CheckReport report;
    for (const char* key : {"target", "verdict", "exit_code"}) {
        if (!members.has(key)) return malformed(fmt::format("'{}' is missing", key));
    }
    members.read("target", report.target);
    members.read("verdict", report.verdict, kVerdicts);
    std::uint64_t code = 0;
    members.read("exit_code", code);
    if (code > 4) members.complain("exit_code");
    report.exit_code = static_cast<ExitCode>(code);
    members.read("error", report.error);
    members.read("error_code", report.error_kind, kErrorKinds);
    members.read("hint", report.hint);
    members.each("checks", [&](const ordered_json& check) { read_check(check, report, wrong); });
    members.read("warnings", report.warnings);
    if (const auto* policy = members.find("policy")) report.ruling = ruling_in(*policy, wrong);
    const bool passes =
        report.ruling ? report.ruling->outcome <= Ruling::Outcome::warn : report.verdict == Verdict::intact;
    if (wrong.empty() && passes != (report.exit_code == ExitCode::done)) members.complain("exit_code");
    if (!wrong.empty()) return malformed(wrong + " is not as it should be");
    return report;
}

}  // namespace modelseal::report
