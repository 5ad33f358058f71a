// A model is one file, or a folder of shards, or a graph with external data: one list of tensors plus the
// frame.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file.h"
#include "model/folder_rule.h"
#include <modelseal/format.h>
#include <modelseal/result.h>

namespace modelseal::model {

// A file that belongs to the model.
struct ModelFile {
    // Relative to the model's folder, '/' between parts; empty for the one file that was named.
    std::string path;
    std::unique_ptr<Source> source;
    std::vector<Checksum> checksums;
};

struct Model {
    std::filesystem::path path;  // as given
    bool folder = false;         // a folder was given: `files` are all that belongs to it by `rule`
    FolderRule rule = FolderRule::everything;
    Limits limits;                 // it was opened with
    std::string format;            // of its tensors
    std::vector<ModelFile> files;  // the given file first; a folder's files sorted by path
    std::vector<Tensor> tensors;   // sorted by name, names unique; Segment::file indexes `files`
    std::vector<std::string> warnings;
    std::vector<LeftOut> left_out;  // of a folder

    std::uint64_t bytes() const;     // of all files
    Result<void> unchanged() const;  // no file was written to while it was read

    // Of each file by its path, when it was opened; nothing if some are not on a disk.
    using States = std::map<std::string, io::FileState>;
    std::optional<States> states() const;
};

// Opens a file, a folder of shards (with their index json), or a graph with its external data. Refuses paths
// that leave the folder (absolute paths, "..", symbolic links), tensors that overlap, and an index that names
// a missing file.
Result<Model> open_model(const std::filesystem::path& path, const Limits& limits = {});

// A model in one file that is not on a disk. ErrorKind::unsupported for one that refers to other files.
Result<Model> open_model_source(std::unique_ptr<Source> source, const Limits& limits);

// The model, whose files are not read after the deadline of the limits.
Model limited(Model model, const Limits& limits);

// Rules for every model, whatever its format: the last check after the adapters.

// Names are unique; each segment is inside its file and as long as its elements need; neither segments of any
// tensors nor fields of checksums overlap. Kind malformed, or internal if only an adapter can have made the
// mistake.
Result<void> validate_model(const Model& model);

}  // namespace modelseal::model
