// A part: one parsed file together with the files that its tensors are in. A model is made of parts: a graph
// with its external data is one, each shard is one, and a folder may have several independent ones.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/file.h"
#include "io/folder.h"
#include "model/model.h"
#include <modelseal/format.h>

namespace modelseal::model {

constexpr std::uint64_t kMostFiles = 10'000;  // of one model

// The files of a model by their paths in its folder, each opened once.
class FilePool {
  public:
    explicit FilePool(io::Folder folder) : folder_(std::move(folder)) {}
    Result<const io::FileSource*> open(const std::string& relative);
    void add(const std::string& relative, std::unique_ptr<io::FileSource> source) {
        files_[relative] = std::move(source);
    }
    std::map<std::string, std::unique_ptr<io::FileSource>> take() { return std::move(files_); }

  private:
    io::Folder folder_;
    std::map<std::string, std::unique_ptr<io::FileSource>> files_;
};

struct Part {
    std::string path;  // in the model's folder
    Layout layout;
    std::vector<std::string> files;  // paths in the model's folder, as Segment::file counts: [0] is `path`
};

// True if any format recognizes it.
bool recognised(const Source& source);

// The path of `name` in the folder of `path`: "unet/a.bin" for "a.bin" in "unet/model.onnx".
std::string beside(const std::string& path, const std::string& name);

// Turns the layout's references into paths; opens nothing. Refuses what path_inside() refuses, and a file
// that names itself, because a tensor could then overlap the structure that describes it.
Result<Part> make_part(const Source& source, std::string path, Layout layout);

// Combines the parts, in the order of their paths. `named` is the path of the file that was opened, which
// becomes the first of Model::files; empty if a folder was.
//
// A name that an earlier part has already is written "PATH:NAME". So adding a file never renames existing
// tensors, unless it comes first and has the same names.
//
// Tensors in external files at the same place with the same type are one tensor: the names of the later ones
// become aliases. (Graphs that share weights are exported so.)
Result<Model> assemble(FilePool pool, std::vector<Part> parts, const std::string& named, const Limits& limits);

}  // namespace modelseal::model
