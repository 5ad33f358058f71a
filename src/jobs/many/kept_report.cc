#include "jobs/many/kept_report.h"

#include <nlohmann/json.hpp>

namespace modelseal::jobs {

using nlohmann::json;

bool may_be_kept(const CheckReport& report) {
    if (report.verdict != Verdict::intact || report.exit_code != ExitCode::done || !report.error.empty())
        return false;
    if (report.fingerprint || report.signature || report.ruling || !report.missing.empty() ||
        !report.warnings.empty() || !report.seal)
        return false;
    if (!report.expected.seal || report.expected.fingerprint || report.expected.signature) return false;
    const auto& seal = *report.seal;
    return seal.outcome == SealFinding::Outcome::intact && seal.cause == SealFinding::Cause::none &&
           seal.scheme == "modelseal" && seal.weights_intact && seal.frame_intact && seal.stamp_authentic &&
           seal.files.empty() && seal.files_missing == 0 && seal.tensors.empty() && seal.unknown_blocks == 0;
}

std::string kept_text(const CheckReport& report) {
    const auto& seal = *report.seal;
    const json kept = {{"target", report.target},       {"detail", seal.detail},
                       {"names", seal.names_detail},    {"frame", seal.frame_detail},
                       {"stamp", seal.stamp},           {"parent", seal.parent},
                       {"vendor_key", seal.vendor_key}, {"root", seal.root},
                       {"tensors", seal.tensors_total}, {"bytes", seal.bytes_total}};
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
                           .seal = std::move(seal)};
        return report;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

}  // namespace modelseal::jobs
