#include "model/folder_rule.h"

#include <algorithm>

#include "model/own_file.h"
#include "model/part.h"

namespace modelseal::model {
namespace {

using Entry = io::Folder::Entry;

constexpr std::uint32_t kDeepestFolder = 64;
constexpr std::string_view kVersionControl[] = {".git", ".hg", ".svn", ".bzr", ".jj"};
constexpr std::string_view kSideSuffixes[] = {".sig", ".sigstore", ".receipt", ".fp", ".check", ".key", ".pub"};

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool is_side_name(std::string_view name) {
    return name.starts_with('.') ||
           std::ranges::any_of(kSideSuffixes, [&](std::string_view suffix) { return name.ends_with(suffix); });
}

bool is_version_control(const Entry& entry) {
    return entry.kind == Entry::Kind::folder &&
           std::ranges::find(kVersionControl, last_part(entry.path)) != std::end(kVersionControl);
}

Result<FolderContents> everything_in(const io::Folder& folder) {
    FolderContents contents;
    // Each file of a ConfigMap is there twice, and its name is the link.
    const auto config_map = folder.config_map_folder();
    const auto skip = [&](const Entry& entry) {
        const bool mounted = config_map && (entry.path == "..data" || entry.path == *config_map);
        if (!mounted && !is_version_control(entry)) return false;
        contents.left_out.push_back({entry.path, mounted ? "ConfigMap" : "version control"});
        return true;
    };
    MODELSEAL_TRY_ASSIGN(auto files, folder.files(kMostFiles, kDeepestFolder, skip));
    for (auto& path : files) {
        MODELSEAL_TRY_ASSIGN(const auto own, own_file(folder, path));
        if (own) {
            contents.left_out.push_back({std::move(path), std::string(*own)});
        } else {
            contents.files.push_back(std::move(path));
        }
    }
    std::ranges::sort(contents.left_out, {}, &LeftOut::path);
    return contents;
}

}  // namespace

Result<FolderContents> contents_of(const io::Folder& folder, FolderRule rule) {
    if (rule == FolderRule::everything) return everything_in(folder);
    const auto skip = [](const Entry& entry) { return is_side_name(last_part(entry.path)); };
    FolderContents contents;
    MODELSEAL_TRY_ASSIGN(contents.files, folder.files(kMostFiles, kDeepestFolder, skip));
    return contents;
}

bool is_left_out_by_name(std::string_view path) {
    for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/')) {
        if (is_side_name(path.substr(0, slash))) return true;
        path.remove_prefix(slash + 1);
    }
    return is_side_name(path);
}

}  // namespace modelseal::model
