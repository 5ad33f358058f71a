#include "mark/checking/file_changes.h"

#include <algorithm>
#include <map>
#include <set>

namespace modelseal::mark {
namespace {

using FileOutcome = FileFinding::Outcome;

// The check values that a file may have had when it was sealed: the one that it has, and if its weights
// changed, the one that it would have if the container's checksums over them were right.
std::vector<CheckValue> values_of(const Evidence& evidence, std::size_t file, Weights weights) {
    std::vector<CheckValue> values = {check_value(evidence.scan.frame.files[file])};
    if (weights == Weights::changed) values.push_back(check_value(evidence.scan.frame.files_if_right[file]));
    return values;
}

FileChanges compare_by_path(const model::Model& model, const Evidence& evidence,
                            const std::vector<std::string>& paths, Weights weights) {
    std::map<std::string_view, CheckValue> sealed;
    for (std::size_t i = 0; i < paths.size(); ++i)
        sealed.emplace(paths[i], evidence.recovered.manifest->signed_part.file_checks[i]);
    FileChanges changes;
    for (std::size_t i = 0; i < model.files.size(); ++i) {
        const auto& file = model.files[i];
        const auto found = sealed.find(file.path);
        if (found == sealed.end()) {
            changes.files.push_back({.name = file.path, .outcome = FileOutcome::added});
            continue;
        }
        if (std::ranges::count(values_of(evidence, i, weights), found->second) == 0)
            changes.files.push_back({.name = file.path, .outcome = FileOutcome::changed});
        sealed.erase(found);
    }
    for (const auto& [path, value] : sealed)
        changes.files.push_back({.name = std::string(path), .outcome = FileOutcome::missing});
    std::ranges::sort(changes.files, {}, &FileFinding::name);
    return changes;
}

// A check value depends on the path of its file, so without names the values still show which files are as they
// were sealed.
FileChanges compare_by_value(const model::Model& model, const Evidence& evidence, Weights weights) {
    const auto& checks = evidence.recovered.manifest->signed_part.file_checks;
    std::multiset<CheckValue> sealed(checks.begin(), checks.end());
    FileChanges changes;
    for (std::size_t i = 0; i < model.files.size(); ++i) {
        auto found = sealed.end();
        for (const auto value : values_of(evidence, i, weights)) {
            if (found == sealed.end()) found = sealed.find(value);
        }
        if (found == sealed.end()) {
            changes.files.push_back({.name = model.files[i].path, .outcome = FileOutcome::changed});
        } else {
            sealed.erase(found);
        }
    }
    changes.missing_unnamed = sealed.size() - std::min(sealed.size(), changes.files.size());
    std::ranges::sort(changes.files, {}, &FileFinding::name);
    return changes;
}

}  // namespace

FileChanges compare_files(const model::Model& given, const Evidence& evidence, Weights weights) {
    const auto& part = evidence.recovered.manifest->signed_part;
    const auto& model = part.rule == model::FolderRule::everything ? given : evidence.model(given);
    // What nobody signed is not unpacked: it may be deflated a thousandfold.
    const auto paths = evidence.matches.signature && !part.file_list.empty()
                           ? decode_file_list(part.file_list, part.file_checks.size())
                           : std::nullopt;
    return paths ? compare_by_path(model, evidence, *paths, weights)
                 : compare_by_value(model, evidence, weights);
}

std::vector<std::string> outside(const model::Model& given, const Evidence& evidence) {
    std::vector<std::string> paths;
    if (!evidence.reread || evidence.recovered.manifest->signed_part.rule == model::FolderRule::everything)
        return paths;
    for (const auto& file : given.files) {
        if (model::is_left_out_by_name(file.path)) paths.push_back(file.path);
    }
    return paths;
}

}  // namespace modelseal::mark
