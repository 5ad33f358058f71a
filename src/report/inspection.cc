#include "report/inspection.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "report/check/json.h"
#include "report/words.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

using nlohmann::ordered_json;
using TensorEntry = ModelContents::TensorEntry;

constexpr std::string_view kInspectionIndent = "    ";

struct Total {
    std::uint64_t tensors = 0, elements = 0, bytes = 0;
};

std::map<std::string, Total> totals_of(const ModelContents& model) {
    std::map<std::string, Total> totals;
    for (const auto& tensor : model.tensors) {
        auto& total = totals[tensor.dtype];
        total.tensors += 1;
        total.elements += tensor.elements;
        total.bytes += tensor.bytes;
    }
    return totals;
}

std::string headline(const std::string& target, const ModelContents& model) {
    std::uint64_t bytes = 0, parameters = 0;
    for (const auto& tensor : model.tensors) {
        bytes += tensor.bytes;
        if (!tensor.opaque) parameters += tensor.elements;
    }
    auto line = fmt::format("{}: {}, {}, {}, {}", util::printable(target), util::printable(model.format),
                            counted(model.tensors.size(), "tensor"), counted(parameters, "parameter"),
                            byte_size(bytes));
    if (model.files.size() > 1) line += " in " + counted(model.files.size(), "file");
    return line;
}

std::string tensor_table(const ModelContents& model, const TextStyle& style) {
    using enum Table::Align;
    if (model.tensors.empty()) return {};
    const bool several = model.files.size() > 1;
    Table table(several ? std::vector{left, left, left, right, right, left}
                        : std::vector{left, left, left, right, right});
    table.add(several ? std::vector<std::string>{"tensor", "type", "shape", "bytes", "offset", "file"}
                      : std::vector<std::string>{"tensor", "type", "shape", "bytes", "offset"});
    for (const auto& tensor : model.tensors) {
        std::vector<std::string> cells = {util::printable(tensor.name), util::printable(tensor.dtype),
                                          shape_text(tensor.shape), grouped(tensor.bytes),
                                          fmt::format("{}", tensor.offset)};
        if (several) cells.push_back(util::printable(model.files[tensor.file]));
        table.add(std::move(cells));
    }
    return table.text(kInspectionIndent, style);
}

std::string totals_table(const ModelContents& model, const TextStyle& style) {
    using enum Table::Align;
    const auto totals = totals_of(model);
    if (totals.empty()) return {};
    Table table({left, right, right, right});
    table.add({"type", "tensors", "elements", "size"});
    for (const auto& [dtype, total] : totals) {
        table.add(
            {util::printable(dtype), grouped(total.tensors), grouped(total.elements), byte_size(total.bytes)});
    }
    return table.text(kInspectionIndent, style);
}

std::vector<std::pair<std::string, std::string>> signed_facts(const SignatureContents& signature) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& time : signature.timestamps) out.emplace_back("timestamp", util::printable(time));
    for (const auto& entry : signature.log_entries) {
        out.emplace_back("log entry",
                         fmt::format("{}{}", entry.index, entry.time.empty() ? "" : " at " + entry.time));
    }
    for (const auto& path : signature.ignore_paths) out.emplace_back("left out", util::printable(path));
    return out;
}

std::string signed_table(const SignatureContents& signature, const TextStyle& style) {
    if (signature.files.empty()) return {};
    const bool shards = signature.files.front().shards > 0;
    Table table(std::vector(shards ? 3u : 2u, Table::Align::left));
    table.add(shards ? std::vector<std::string>{"file", "digest", "shards"}
                     : std::vector<std::string>{"file", "digest"});
    for (const auto& file : signature.files) {
        std::vector<std::string> cells = {util::printable(file.name),
                                          file.shards > 1 ? "of each shard" : util::printable(file.digest)};
        if (shards) cells.push_back(grouped(file.shards));
        table.add(std::move(cells));
    }
    return "\n" + table.text(kInspectionIndent, style);
}

void add_signed(const SignatureContents& signature, ordered_json& out) {
    out["timestamps"] = texts(signature.timestamps);
    auto& entries = out["log_entries"] = ordered_json::array();
    for (const auto& entry : signature.log_entries) {
        ordered_json one = {{"index", entry.index}};
        if (!entry.time.empty()) one["time"] = json_text(entry.time);
        entries.push_back(std::move(one));
    }
    out["ignore_paths"] = texts(signature.ignore_paths);
    auto& files = out["signed_files"] = ordered_json::array();
    for (const auto& file : signature.files) {
        ordered_json one = {{"name", json_text(file.name)}};
        if (file.shards <= 1) one["digest"] = json_text(file.digest);
        if (file.shards > 0) one["shards"] = file.shards;
        if (file.tensors > 0) one["tensors"] = file.tensors;
        files.push_back(std::move(one));
    }
}

std::string value_text(const Inspection::Fact& fact) {
    if (const auto* text = std::get_if<std::string>(&fact.value)) return util::printable(*text);
    if (const auto* flag = std::get_if<bool>(&fact.value)) return *flag ? "yes" : "no";
    return grouped(std::get<std::uint64_t>(fact.value));
}

std::string spaced(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return c == '_' || c == '-'; }, ' ');
    return text;
}

std::string fact_lines(const Inspection& inspection) {
    std::vector<std::pair<std::string, std::string>> lines;
    for (const auto& fact : inspection.facts) {
        lines.emplace_back(util::printable(spaced(fact.key)), value_text(fact));
    }
    if (inspection.signature) std::ranges::move(signed_facts(*inspection.signature), std::back_inserter(lines));
    return aligned(lines, kInspectionIndent);
}

ordered_json tensor_json(const ModelContents& model, const TensorEntry& tensor) {
    ordered_json out;
    out["name"] = json_text(tensor.name);
    out["dtype"] = json_text(tensor.dtype);
    out["shape"] = tensor.shape;
    out["file"] = json_text(model.files[tensor.file]);
    out["offset"] = tensor.offset;
    out["bytes"] = tensor.bytes;
    if (tensor.pieces > 1) out["pieces"] = tensor.pieces;
    if (!tensor.aliases.empty()) {
        out["aliases"] = ordered_json::array();
        for (const auto& alias : tensor.aliases) out["aliases"].push_back(json_text(alias));
    }
    return out;
}

ordered_json value_json(const Inspection::Fact& fact) {
    if (const auto* text = std::get_if<std::string>(&fact.value)) return json_text(*text);
    if (const auto* flag = std::get_if<bool>(&fact.value)) return *flag;
    return std::get<std::uint64_t>(fact.value);
}

// What the seal states and whether it holds; where it does not, `check` shows what changed.
std::string seal_lines(const SealFinding& seal, const TextStyle& style) {
    const bool partial = seal.outcome == SealFinding::Outcome::partial;
    const bool found = partial || seal.outcome == SealFinding::Outcome::intact ||
                       seal.outcome == SealFinding::Outcome::tampered;
    if (!found) return paint(style, Tone::doubtful, "  " + util::printable(seal.detail)) + "\n";
    const bool intact = seal.outcome == SealFinding::Outcome::intact;
    Table table({Table::Align::left, Table::Align::left});
    table.add({"seal", intact    ? "intact"
                       : partial ? "not checked: the vendor signed this stamp, no tensor was read"
                                 : "does not hold; a check shows what changed"});
    const auto add = [&](const std::string& key, const std::string& value) {
        if (!value.empty()) table.add({util::printable(key), util::printable(value)});
    };
    if (!seal.stamp_authentic) add("stamp", "not signed by the vendor, so not to be trusted");
    for (const auto& [key, value] : seal.stamp) add(key, value);
    add("vendor key", seal.vendor_key);
    add("scheme", seal.scheme);
    add("derived from", seal.parent);
    add("root", seal.root);
    return "\n" + table.text(kInspectionIndent, style);
}

}  // namespace

std::string to_text(const Inspection& inspection, const TextStyle& style) {
    std::string out;
    if (inspection.model) {
        out = paint(style, Tone::strong, headline(inspection.target, *inspection.model)) + "\n" +
              tensor_table(*inspection.model, style);
        if (inspection.model->tensors.size() > 1) out += "\n" + totals_table(*inspection.model, style);
    } else {
        const auto name = fmt::format("{}: {}", util::printable(inspection.target), spaced(inspection.kind));
        out = paint(style, Tone::strong, name) + "\n";
    }
    out += fact_lines(inspection);
    if (inspection.signature) out += signed_table(*inspection.signature, style);
    for (const auto& warning : inspection.warnings) {
        out += paint(style, Tone::doubtful, "  warning: " + util::printable(warning)) + "\n";
    }
    if (inspection.seal) {
        out += seal_lines(*inspection.seal, style);
    } else if (inspection.model) {
        out += paint(style, Tone::faint, "  a seal cannot be seen without a key") + "\n";
    }
    return out;
}

std::string to_json(const Inspection& inspection) {
    ordered_json out;
    out["schema"] = "modelseal-inspect/1";
    out["kind"] = json_text(inspection.kind);
    if (inspection.model) {
        const auto& model = *inspection.model;
        out["format"] = json_text(model.format);
        out["files"] = ordered_json::array();
        for (const auto& file : model.files) out["files"].push_back(json_text(file));
        out["tensors"] = ordered_json::array();
        for (const auto& tensor : model.tensors) out["tensors"].push_back(tensor_json(model, tensor));
    } else {
        out["files"] = ordered_json::array({json_text(inspection.target)});
    }
    for (const auto& fact : inspection.facts) out[json_text(fact.key)] = value_json(fact);
    if (inspection.signature) add_signed(*inspection.signature, out);
    if (inspection.seal) out["seal"] = seal_json(*inspection.seal);
    out["warnings"] = ordered_json::array();
    for (const auto& warning : inspection.warnings) out["warnings"].push_back(json_text(warning));
    return dumped(out);
}

}  // namespace modelseal::report
