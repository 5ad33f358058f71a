#include "report/fingerprint_summary.h"

#include <fmt/format.h>

#include "report/json.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::report {

std::string to_text(const FingerprintSummary& summary, const std::string& out, const TextStyle& style) {
    using enum Table::Align;
    auto text = fmt::format("{} {}\n", paint(style, Tone::good, "fingerprint"), util::printable(out));
    Table table({left, right, right, right});
    table.add({"rung", "pairs", "noise", "floor"});
    for (const auto& rung : summary.rungs) {
        table.add({std::string(name_of(rung.rung)), grouped(rung.pairs), fmt::format("{:.1e}", rung.noise),
                   fmt::format("{:.1e}", rung.floor)});
    }
    text += table.text("    ", style);
    text += fmt::format("  {} evaluations in {:.1f} s on {}, {} classes\n", grouped(summary.evaluations),
                        summary.seconds, util::printable(summary.device), grouped(summary.classes));
    text += fmt::format("  bound to {} {}\n", summary.sealed ? "the seal" : "the file, which carries no seal,",
                        util::printable(summary.root));
    return text + fmt::format("  id: {}\n", util::printable(summary.id));
}

std::string to_json(const FingerprintSummary& summary, const std::string& out) {
    nlohmann::ordered_json json;
    json["schema"] = "modelseal-fingerprint/1";
    json["file"] = json_text(out);
    json["id"] = json_text(summary.id);
    json["root"] = json_text(summary.root);
    json["sealed"] = summary.sealed;
    json["classes"] = summary.classes;
    json["device"] = json_text(summary.device);
    json["rungs"] = nlohmann::ordered_json::array();
    for (const auto& rung : summary.rungs) {
        json["rungs"].push_back({{"name", name_of(rung.rung)},
                                 {"pairs", rung.pairs},
                                 {"noise", rung.noise},
                                 {"floor", rung.floor}});
    }
    json["evaluations"] = summary.evaluations;
    json["seconds"] = summary.seconds;
    json["notes"] = nlohmann::ordered_json::array();
    for (const auto& note : summary.notes) json["notes"].push_back(json_text(note));
    return dumped(json);
}

}  // namespace modelseal::report
