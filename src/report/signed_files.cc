#include "report/signed_files.h"

#include <fmt/format.h>

#include "report/words.h"
#include "util/text.h"

namespace modelseal::report {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kFilesIndent = "    ";

ordered_json texts(const std::vector<std::string>& list) {
    auto out = ordered_json::array();
    for (const auto& each : list) out.push_back(json_text(each));
    return out;
}

}  // namespace

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
    return "\n" + table.text(kFilesIndent, style);
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

}  // namespace modelseal::report
