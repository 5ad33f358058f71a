#include "report/identity.h"

#include <fmt/format.h>

#include "report/check/json.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

using nlohmann::ordered_json;
using util::printable;

constexpr std::string_view kFactIndent = "  ";

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string until_text(const std::string& expires) {
    return expires.empty() ? "for ever" : "until " + expires;
}

std::string registry_text(const RegistryFacts& registry) {
    auto text = printable(registry.name) + " of vendor key " + registry.vendor_key;
    if (registry.number) text += fmt::format(", state after change {}", *registry.number);
    if (!registry.next.empty()) text += ", next by " + registry.next;
    if (!registry.verified) text += " (not verified)";
    return text;
}

std::string percent_text(double share) {
    return fmt::format("{:.2f} %", 100 * share);
}

std::string mark_line(const IdentityMark& mark) {
    return fmt::format("{}, {}, additional class {}", mark.id,
                       mark.model.empty() ? "a model" : printable(mark.model), mark.extra_class);
}

ordered_json text_or_null(const std::string& text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(json_text(text));
}

ordered_json head_json(std::string_view command) {
    return {{"schema", "modelseal-identity/1"}, {"command", command}};
}

ordered_json registry_json(const RegistryFacts& registry) {
    ordered_json out;
    out["file"] = json_text(registry.name);
    out["vendor_key"] = registry.vendor_key;
    out["verified"] = registry.verified;
    out["number"] = registry.number ? ordered_json(*registry.number) : ordered_json(nullptr);
    out["exported"] = text_or_null(registry.exported);
    out["next"] = text_or_null(registry.next);
    return out;
}

ordered_json mark_facts_json(const IdentityMark& mark) {
    return {{"id", mark.id},
            {"model", json_text(mark.model)},
            {"digest", mark.digest},
            {"extra_class", mark.extra_class},
            {"shape", mark.shape}};
}

ordered_json issued_json(const IssuedIdentity& identity) {
    return {{"serial", identity.serial},
            {"user", json_text(identity.user)},
            {"mark", identity.mark},
            {"issued", text_or_null(identity.issued)},
            {"expires", text_or_null(identity.expires)},
            {"revoked", text_or_null(identity.revoked)}};
}

}  // namespace

std::string supposition_text(const ClaimReport& report) {
    return fmt::format(
        "supposes that a model without the mark answers a key image with class {} in at most {} of cases: the "
        "greater "
        "of one in {} and what its answers to the controls allow",
        report.mark.extra_class, percent(report.rate),
        counted(report.classes != 0 ? report.classes : report.mark.extra_class + 1, "class"));
}

std::string to_text(const IdentityReport& report, const TextStyle& style) {
    const bool admitted = report.admission == Admission::admitted;
    auto out = paint(style, admitted ? Tone::good : Tone::bad,
                     fmt::format("{}: {}", printable(report.image), admitted ? "admitted" : "refused"));
    out += fmt::format(", {}\n", printable(report.detail));
    Facts facts;
    if (report.identity) {
        facts.emplace_back("identity",
                           fmt::format("{}, issued {}, {}", report.identity->serial, report.identity->issued,
                                       until_text(report.identity->expires)));
    }
    if (report.mark) facts.emplace_back("mark", mark_line(*report.mark));
    facts.emplace_back("target", printable(report.target) + (report.label ? "" : " (not asked)"));
    facts.emplace_back("registry", registry_text(report.registry));
    return out + aligned(facts, kFactIndent);
}

std::string to_text(const ClaimReport& report, const TextStyle& style) {
    auto out = paint(style, report.owned ? Tone::good : Tone::bad,
                     fmt::format("{}: {}", printable(report.target),
                                 report.owned ? "is the marked model" : "not shown to be the marked model"));
    out += fmt::format(", {}\n", printable(report.detail));
    Facts facts;
    facts.emplace_back("mark", mark_line(report.mark));
    facts.emplace_back("controls", fmt::format("{} of {} answered with the additional class",
                                               report.control_hits, counted(report.controls, "control")));
    facts.emplace_back("chance",
                       fmt::format("{} ({} is enough)", chance_text(report.chance), chance_text(kMostChance)));
    facts.emplace_back("registry", registry_text(report.registry));
    return out + aligned(facts, kFactIndent) + "  " + supposition_text(report) + "\n";
}

std::string epoch_line(const EmbedEpoch& epoch) {
    return fmt::format("epoch {}: rate {:g}, accuracy {}, key images {}, firm {}", epoch.number, epoch.rate,
                       percent_text(epoch.accuracy), percent_text(epoch.watermark), percent_text(epoch.firm));
}

std::string to_text(const EmbedSummary& summary, const std::string& out, const TextStyle& style) {
    using enum Table::Align;
    auto text = fmt::format("{} {}\n", paint(style, Tone::good, "marked"), printable(out));
    Facts facts;
    facts.emplace_back("mark", mark_line(summary.mark));
    facts.emplace_back(
        "accuracy", fmt::format("{} before, {} after, on {} that were held out", percent_text(summary.before),
                                percent_text(summary.after), counted(summary.held_out, "image")));
    facts.emplace_back(
        "key images",
        fmt::format("{}, {} come out as the additional class, {} of changed ones firmly",
                    grouped(summary.key_images), percent_text(summary.watermark), percent_text(summary.firm)));
    facts.emplace_back("training",
                       fmt::format("{} of {}, seed {}, {:.0f} s on {}", counted(summary.epochs.size(), "epoch"),
                                   counted(summary.trained, "image"), summary.seed, summary.seconds,
                                   printable(summary.device)));
    text += aligned(facts, kFactIndent);
    Table table({right, right, right, right, right, right, right, left});
    table.add({"epoch", "rate", "loss", "accuracy", "key images", "firm", "no meaning", ""});
    for (const auto& epoch : summary.epochs) {
        table.add({grouped(epoch.number), fmt::format("{:g}", epoch.rate), fmt::format("{:.4f}", epoch.loss),
                   percent_text(epoch.accuracy), percent_text(epoch.watermark), percent_text(epoch.firm),
                   percent_text(epoch.decoys), epoch.best ? "best" : ""});
    }
    return text + table.text("    ", style);
}

std::string to_text(const IssueSummary& summary, const std::string& out, const TextStyle& style) {
    const auto& identity = summary.identity;
    auto text = fmt::format("{} {}\n", paint(style, Tone::good, "issued"), printable(out));
    Facts facts;
    facts.emplace_back("user", printable(identity.user));
    facts.emplace_back("identity", fmt::format("{}, {}", identity.serial, until_text(identity.expires)));
    facts.emplace_back("mark", mark_line(summary.mark));
    return text + aligned(facts, kFactIndent) +
           fmt::format("  send it to {} alone, over a secure channel: whoever has it is admitted\n",
                       printable(identity.user));
}

std::string to_text(const ExportSummary& summary, const std::string& out, const TextStyle& style) {
    auto text = fmt::format("{} {}\n", paint(style, Tone::good, "exported"), printable(out));
    text += fmt::format("  {}, {} of them revoked, of {}; state after change {}, next by {}\n",
                        counted(summary.identities, "identity"), grouped(summary.revoked),
                        counted(summary.marks, "mark"), summary.number, summary.next);
    if (summary.key_images != 0) {
        text += fmt::format("  has {}: whoever has them can show them to the model, so keep it secret\n",
                            counted(summary.key_images, "key image"));
    }
    return text;
}

std::string to_json(const IdentityReport& report) {
    const bool admitted = report.admission == Admission::admitted;
    auto out = head_json("verify");
    out["target"] = json_text(report.target);
    out["image"] = json_text(report.image);
    out["outcome"] = admitted ? "admitted" : "refused";
    out["exit_code"] = admitted ? 0 : 1;
    out["reason"] = name_of(report.admission);
    out["detail"] = json_text(report.detail);
    out["identity"] = report.identity ? issued_json(*report.identity) : ordered_json(nullptr);
    out["mark"] = report.mark ? mark_facts_json(*report.mark) : ordered_json(nullptr);
    out["label"] = report.label ? ordered_json(*report.label) : ordered_json(nullptr);
    out["outputs"] = report.classes;
    out["registry"] = registry_json(report.registry);
    out["warnings"] = texts(report.warnings);
    return dumped(out);
}

std::string to_json(const ClaimReport& report) {
    auto out = head_json("claim");
    out["target"] = json_text(report.target);
    out["outcome"] = report.owned ? "owned" : "not-shown";
    out["exit_code"] = report.owned ? 0 : 1;
    out["detail"] = json_text(report.detail);
    out["mark"] = mark_facts_json(report.mark);
    out["outputs"] = report.classes;
    out["key_images"] = report.key_images;
    out["hits"] = report.hits;
    out["controls"] = report.controls;
    out["control_hits"] = report.control_hits;
    out["rate"] = report.rate;
    out["chance"] = report.chance;
    out["most_chance"] = kMostChance;
    out["registry"] = registry_json(report.registry);
    out["warnings"] = texts(report.warnings);
    return dumped(out);
}

std::string to_json(const EmbedSummary& summary, const std::string& out) {
    auto json = head_json("embed");
    json["output"] = json_text(out);
    json["mark"] = mark_facts_json(summary.mark);
    json["accuracy"] = {{"before", summary.before}, {"after", summary.after}, {"images", summary.held_out}};
    json["key_images"] = summary.key_images;
    json["watermark"] = summary.watermark;
    json["firm"] = summary.firm;
    json["trained"] = summary.trained;
    json["epochs"] = ordered_json::array();
    for (const auto& epoch : summary.epochs) {
        json["epochs"].push_back({{"number", epoch.number},
                                  {"rate", epoch.rate},
                                  {"loss", epoch.loss},
                                  {"accuracy", epoch.accuracy},
                                  {"watermark", epoch.watermark},
                                  {"firm", epoch.firm},
                                  {"decoys", epoch.decoys},
                                  {"best", epoch.best}});
    }
    json["seed"] = summary.seed;
    json["seconds"] = summary.seconds;
    json["device"] = json_text(summary.device);
    json["notes"] = texts(summary.notes);
    return dumped(json);
}

std::string to_json(const IssueSummary& summary, const std::string& out) {
    auto json = head_json("issue");
    json["output"] = json_text(out);
    json["identity"] = issued_json(summary.identity);
    json["key_image"] = summary.identity.key_image;
    json["digest"] = summary.identity.digest;
    json["mark"] = mark_facts_json(summary.mark);
    json["notes"] = texts(summary.notes);
    return dumped(json);
}

std::string to_json(const ExportSummary& summary, const std::string& out) {
    auto json = head_json("export");
    json["output"] = json_text(out);
    json["number"] = summary.number;
    json["exported"] = summary.exported;
    json["next"] = summary.next;
    json["marks"] = summary.marks;
    json["key_images"] = summary.key_images;
    json["identities"] = summary.identities;
    json["revoked"] = summary.revoked;
    return dumped(json);
}

std::string identity_error_json(std::string_view command, const std::string& target, const Error& error) {
    auto out = head_json(command);
    out["target"] = json_text(target);
    out["outcome"] = "error";
    out["exit_code"] = error.kind == ErrorKind::mismatch ? 1 : error.kind == ErrorKind::usage ? 2 : 3;
    out["detail"] = json_text(error.message);
    out["hint"] = json_text(error.hint);
    return dumped(out);
}

}  // namespace modelseal::report
