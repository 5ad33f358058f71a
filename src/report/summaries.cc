#include "report/summaries.h"

#include <fmt/format.h>

#include "report/check/json.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::report {

std::string to_text(const SealSummary& summary, const Sealing& sealing, const TextStyle& style) {
    auto text = fmt::format("{} {}\n", paint(style, Tone::good, "sealed"), util::printable(sealing.out));
    text += fmt::format("  {}, {}, {} of {}\n", counted(summary.tensors, "tensor"),
                        counted(summary.elements, "element"), byte_size(summary.bytes), summary.format);
    const auto elements = static_cast<double>(summary.elements);
    const auto share = summary.elements == 0 ? 0.0 : 100.0 * static_cast<double>(summary.touched) / elements;
    text += fmt::format("  {} changed ({:.2f} %), in {}\n", counted(summary.touched, "weight"), share,
                        counted(summary.cells, "cell"));
    for (const auto& [key, value] : summary.stamp) {
        text += fmt::format("  {}: {}\n", util::printable(key), util::printable(value));
    }
    text += fmt::format("  key: {}\n", sealing.vendor_key);
    if (!summary.root.empty()) text += fmt::format("  root: {}\n", summary.root);
    if (sealing.receipt) {
        text += fmt::format("  receipt: {} (keep it secret: it removes the seal)\n",
                            util::printable(*sealing.receipt));
    }
    for (const auto& [path, what] : summary.left_out) {
        text += fmt::format("  left out: {} ({})\n", util::printable(path), what);
    }
    return text;
}

std::string to_json(const SealSummary& summary, const Sealing& sealing) {
    nlohmann::ordered_json json;
    json["schema"] = "modelseal-seal/1";
    json["target"] = json_text(sealing.model);
    json["output"] = json_text(sealing.out);
    if (sealing.receipt) json["receipt"] = json_text(*sealing.receipt);
    json["scheme"] = sealing.scheme == Scheme::deepisign ? "deepisign" : "modelseal";
    json["vendor_key"] = sealing.vendor_key;
    if (!summary.root.empty()) json["root"] = summary.root;
    auto& stamp = json["stamp"] = nlohmann::ordered_json::object();
    for (const auto& [key, value] : summary.stamp) stamp[json_text(key)] = json_text(value);
    json["format"] = summary.format;
    json["files"] = summary.files;
    json["bytes"] = summary.bytes;
    json["tensors"] = summary.tensors;
    json["elements"] = summary.elements;
    json["changed_elements"] = summary.touched;
    json["cells"] = summary.cells;
    auto& left_out = json["left_out"] = nlohmann::ordered_json::array();
    for (const auto& [path, what] : summary.left_out) {
        left_out.push_back({{"path", json_text(path)}, {"what", json_text(what)}});
    }
    json["warnings"] = texts(summary.warnings);
    return dumped(json);
}

namespace {

std::string reused_text(const SignSummary& summary) {
    constexpr std::size_t kNamed = 8;
    if (summary.reused.empty()) return {};
    auto text = fmt::format("  {} of {} ({}) not read, digests are those of the earlier signature:\n",
                            grouped(summary.reused.size()), counted(summary.files, "file"),
                            byte_size(summary.reused_bytes));
    for (std::size_t i = 0; i < std::min(kNamed, summary.reused.size()); ++i)
        text += fmt::format("    {}\n", util::printable(summary.reused[i]));
    if (summary.reused.size() > kNamed)
        text += fmt::format("    and {} more\n", grouped(summary.reused.size() - kNamed));
    return text;
}

}  // namespace

std::string to_text(const SignSummary& summary, const std::string& model, const std::string& out,
                    const TextStyle& style) {
    auto text = fmt::format("{} {}\n", paint(style, Tone::good, "signed"), util::printable(model));
    text += fmt::format("  {}, {}, {} in {}\n", counted(summary.files, "file"), byte_size(summary.bytes),
                        counted(summary.tensors, "tensor"), util::printable(out));
    text += reused_text(summary);
    return text +
           fmt::format("  {} {}\n  root {}\n", summary.method, util::printable(summary.signer), summary.root);
}

std::string to_json(const SignSummary& summary, const std::string& model, const std::string& out) {
    nlohmann::ordered_json json;
    json["schema"] = "modelseal-sign/1";
    json["target"] = json_text(model);
    json["signature"] = json_text(out);
    json["method"] = summary.method;
    json["signer"] = json_text(summary.signer);
    json["root"] = summary.root;
    json["files"] = summary.files;
    json["bytes"] = summary.bytes;
    json["tensors"] = summary.tensors;
    json["reused"] = texts(summary.reused);
    json["reused_bytes"] = summary.reused_bytes;
    json["warnings"] = texts(summary.warnings);
    return dumped(json);
}

namespace {

// What is seen of each tensor, and names those of which nothing is.
std::string coverage_table(const FingerprintSummary& summary, const TextStyle& style) {
    using enum Table::Align;
    if (!summary.coverage) return {};
    Table table({left, right, right, right});
    table.add({"tensor", "weights", "seen", "dead"});
    for (const auto& one : summary.coverage->tensors) {
        const double weights = static_cast<double>(std::max<std::uint64_t>(1, one.weights));
        table.add({util::printable(one.name), grouped(one.weights),
                   percent(static_cast<double>(one.noticed) / weights),
                   percent(static_cast<double>(one.dead) / weights)});
    }
    return table.text("    ", style);
}

nlohmann::ordered_json coverage_json(const FingerprintSummary::Coverage& coverage) {
    nlohmann::ordered_json json = {{"change", coverage.change},
                                   {"weights", coverage.all.weights},
                                   {"noticed", coverage.all.noticed},
                                   {"dead", coverage.all.dead}};
    auto& tensors = json["tensors"] = nlohmann::ordered_json::array();
    for (const auto& one : coverage.tensors) {
        tensors.push_back({{"name", json_text(one.name)},
                           {"weights", one.weights},
                           {"noticed", one.noticed},
                           {"dead", one.dead}});
    }
    return json;
}

}  // namespace

std::string to_text(const FingerprintSummary& summary, const std::string& out, const TextStyle& style) {
    using enum Table::Align;
    auto text = out.empty()
                    ? std::string("what a fingerprint would see\n")
                    : fmt::format("{} {}\n", paint(style, Tone::good, "fingerprint"), util::printable(out));
    Table table({left, right, right, right});
    const bool pairs = summary.method == FingerprintMethod::pairs;
    table.add({"rung", pairs ? "pairs" : "triggers", "noise", "floor"});
    for (const auto& rung : summary.rungs) {
        table.add({std::string(name_of(rung.rung)), grouped(rung.count), fmt::format("{:.1e}", rung.noise),
                   fmt::format("{:.1e}", rung.floor)});
    }
    text += table.text("    ", style);
    if (summary.training) {
        text += fmt::format("  generator of width {}, {} of training{}\n", summary.training->width,
                            counted(summary.training->steps, "step"),
                            summary.training->arm == Arm::both
                                ? std::string()
                                : fmt::format(", arm '{}' of the ablation", name_of(summary.training->arm)));
    }
    if (summary.coverage) {
        const auto& all = summary.coverage->all;
        text +=
            fmt::format("  sees {}; {} dead\n",
                        coverage_text(summary.coverage->change, all.noticed, all.weights), grouped(all.dead));
    }
    text += fmt::format("  {} evaluations in {:.1f} s on {}, {} classes\n", grouped(summary.evaluations),
                        summary.seconds, util::printable(summary.device), grouped(summary.classes));
    if (out.empty()) return text + coverage_table(summary, style);
    text += fmt::format("  bound to {} {}\n", summary.sealed ? "the seal" : "the file, which carries no seal,",
                        util::printable(summary.root));
    return text + fmt::format("  id: {}\n", util::printable(summary.id));
}

std::string to_json(const FingerprintSummary& summary, const std::string& out) {
    nlohmann::ordered_json json;
    json["schema"] = "modelseal-fingerprint/1";
    if (!out.empty()) {
        json["file"] = json_text(out);
        json["id"] = json_text(summary.id);
    }
    json["root"] = json_text(summary.root);
    json["sealed"] = summary.sealed;
    const bool pairs = summary.method == FingerprintMethod::pairs;
    json["method"] = name_of(summary.method);
    json["classes"] = summary.classes;
    json["device"] = json_text(summary.device);
    json["rungs"] = nlohmann::ordered_json::array();
    for (const auto& rung : summary.rungs) {
        json["rungs"].push_back({{"name", name_of(rung.rung)},
                                 {pairs ? "pairs" : "triggers", rung.count},
                                 {"noise", rung.noise},
                                 {"floor", rung.floor}});
    }
    json["runtimes"] = nlohmann::ordered_json::array();
    for (const auto& one : summary.runtimes) {
        json["runtimes"].push_back({{"rung", name_of(one.rung)},
                                    {"name", json_text(one.name)},
                                    {"largest", one.largest},
                                    {"mean", one.mean},
                                    {"drift", one.drift}});
    }
    if (summary.training) {
        json["generator"] = {{"width", summary.training->width},
                             {"steps", summary.training->steps},
                             {"arm", name_of(summary.training->arm)}};
    }
    if (summary.coverage) json["coverage"] = coverage_json(*summary.coverage);
    json["evaluations"] = summary.evaluations;
    json["seconds"] = summary.seconds;
    json["notes"] = texts(summary.notes);
    return dumped(json);
}

}  // namespace modelseal::report
