#include "jobs/many/kept_report.h"

#include <nlohmann/json.hpp>

namespace modelseal::jobs {
namespace {

using nlohmann::json;

json ruling_json(const Ruling& ruling) {
    auto requirements = json::array();
    for (const auto& each : ruling.requirements)
        requirements.push_back({each.what, each.required, each.found, each.only_warns});
    return {{"policy", ruling.policy}, {"name", ruling.name},   {"match", ruling.match},
            {"line", ruling.line},     {"audit", ruling.audit}, {"requirements", std::move(requirements)}};
}

// Of a ruling that may be kept: everything holds.
Ruling ruling_of(const json& kept) {
    Ruling ruling{.outcome = Ruling::Outcome::allow,
                  .policy = kept.at("policy"),
                  .name = kept.at("name"),
                  .match = kept.at("match"),
                  .line = kept.at("line"),
                  .audit = kept.at("audit"),
                  .requirements = {}};
    for (const auto& each : kept.at("requirements"))
        ruling.requirements.push_back({.what = each.at(0),
                                       .required = each.at(1),
                                       .found = each.at(2),
                                       .holds = true,
                                       .only_warns = each.at(3)});
    return ruling;
}

bool everything_holds(const Ruling& ruling) {
    if (ruling.outcome != Ruling::Outcome::allow) return false;
    for (const auto& each : ruling.requirements) {
        if (!each.holds || each.failed) return false;
    }
    return true;
}

}  // namespace

bool may_be_kept(const CheckReport& report) {
    if (report.verdict != Verdict::intact || report.exit_code != ExitCode::done || !report.error.empty())
        return false;
    if (report.fingerprint || report.signature || !report.missing.empty() || !report.seal) return false;
    if (!report.expected.seal || report.expected.fingerprint || report.expected.signature) return false;
    if (report.ruling && !everything_holds(*report.ruling)) return false;
    const auto& seal = *report.seal;
    return seal.outcome == SealFinding::Outcome::intact && seal.cause == SealFinding::Cause::none &&
           seal.scheme == "modelseal" && seal.weights_intact && seal.frame_intact && seal.stamp_authentic &&
           seal.files.empty() && seal.files_missing == 0 && seal.tensors.empty() && seal.unknown_blocks == 0;
}

std::string kept_text(const CheckReport& report) {
    const auto& seal = *report.seal;
    json kept = {{"target", report.target},       {"warnings", report.warnings},   {"detail", seal.detail},
                 {"names", seal.names_detail},    {"frame", seal.frame_detail},    {"stamp", seal.stamp},
                 {"parent", seal.parent},         {"vendor_key", seal.vendor_key}, {"root", seal.root},
                 {"tensors", seal.tensors_total}, {"bytes", seal.bytes_total}};
    if (report.ruling) kept["ruling"] = ruling_json(*report.ruling);
    return kept.dump(-1, ' ', true, json::error_handler_t::replace);
}

std::optional<CheckReport> kept_report(std::string_view text) {
    try {
        const auto kept = json::parse(text);
        SealFinding seal{.outcome = SealFinding::Outcome::intact,
                         .detail = kept.at("detail"),
                         .scheme = "modelseal",
                         .names_detail = kept.at("names"),
                         .frame_detail = kept.at("frame"),
                         .stamp = kept.at("stamp").get<decltype(SealFinding::stamp)>(),
                         .stamp_authentic = true,
                         .parent = kept.at("parent"),
                         .vendor_key = kept.at("vendor_key"),
                         .root = kept.at("root"),
                         .tensors_total = kept.at("tensors"),
                         .bytes_total = kept.at("bytes")};
        CheckReport report{.target = kept.at("target"),
                           .verdict = Verdict::intact,
                           .exit_code = ExitCode::done,
                           .expected = {.seal = true},
                           .seal = std::move(seal),
                           .warnings = kept.at("warnings").get<std::vector<std::string>>()};
        if (kept.contains("ruling")) report.ruling = ruling_of(kept.at("ruling"));
        return report;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

}  // namespace modelseal::jobs
