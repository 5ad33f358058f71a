// Which files of a folder belong to the model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/folder.h"

namespace modelseal::model {

// A seal says by which rule it was made, and the vendor signs that: nobody can choose the earlier rule for a
// seal that covers everything.
enum class FolderRule {
    // Everything below the folder, whatever it is called, but
    // - the folders of version control: .git, .hg, .svn, .bzr, .jj, at any depth;
    // - what modelseal wrote there: own_file.h.
    everything,
    // The rule of the first seals: hidden files and folders are left out, and whatever ends in .sig, .sigstore,
    // .receipt, .fp, .check, .key or .pub.
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

// Symbolic links and special files are refused, and folders too full or too deep for one model.
Result<FolderContents> contents_of(const io::Folder& folder, FolderRule rule);

// Whether the rule by_name leaves out the file at `path`, for its own name or that of a folder on the way.
bool is_left_out_by_name(std::string_view path);

}  // namespace modelseal::model
