// Which files of a sealed model are not as they were sealed. Files are compared as a set: one that was added,
// removed or renamed is named, and none of its neighbors.
#pragma once

#include <string>
#include <vector>

#include "mark/checking/evidence.h"
#include <modelseal/report.h>

namespace modelseal::mark {

struct FileChanges {
    std::vector<FileFinding> files;  // by name
    // Files that are gone, where the seal had no room for names. Added files are then among the changed ones.
    std::size_t missing_unnamed = 0;
};

enum class Weights { same, changed };

// `given`: the model that `evidence`, which has a manifest, was gathered from.
FileChanges compare_files(const model::Model& given, const Evidence& evidence, Weights weights);

// Files of the folder that was given which the rule of its seal leaves out.
std::vector<std::string> outside(const model::Model& given, const Evidence& evidence);

}  // namespace modelseal::mark
