// Which files of a folder belong to the model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/folder.h"

namespace modelseal::model {

// The rule is part of what the vendor signs: nobody can choose the earlier rule for a seal that covers
// everything.
enum class FolderRule {
    // Everything below the folder, whatever its name, except
    // - the folders of version control: .git, .hg, .svn, .bzr, .jj, at any depth;
    // - files that modelseal wrote there: own_file.h;
    // - where links are followed, "..data" of a ConfigMap and the folder that it leads to.
    everything,
    // The rule of the first seals: leaves out hidden files and folders, and every name that ends in .sig,
    // .sigstore, .receipt, .fp, .check, .key or .pub.
    by_name,
};

struct LeftOut {
    std::string path;
    std::string what;  // "version control", "signature", ...
};

struct FolderContents {
    std::vector<std::string> files;  // relative, '/' between parts, in ascending order of bytes
    std::vector<LeftOut> left_out;   // by the rule `everything`
};

// Refuses symbolic links that the folder does not follow, special files, and folders too full or too deep for one model.
Result<FolderContents> contents_of(const io::Folder& folder, FolderRule rule);

// True if the rule by_name leaves out the file at `path`, for its own name or that of a folder on the way.
bool is_left_out_by_name(std::string_view path);

}  // namespace modelseal::model
